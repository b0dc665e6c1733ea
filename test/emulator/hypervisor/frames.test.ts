/** Host frames under any pattern of reserving, taking and giving: what was promised is there, and nobody has another's. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FrameAllocator, RUN_FRAMES } from '../../../emulator/hypervisor/frames';
import type { Reservation } from '../../../emulator/hypervisor/frames';
import { PAGE_BYTES, PhysicalMemory } from '../../../emulator/mmu/physical-memory';

const RUNS = 8;
const BYTES = RUNS * RUN_FRAMES * PAGE_BYTES;
const memory = new WebAssembly.Memory({ initial: BYTES / 0x1_0000, maximum: BYTES / 0x1_0000 });
const host = new PhysicalMemory(memory, BYTES, 0);

interface Owner {
  reservation: Reservation;
  has: Set<number>;
}
type Action = { kind: 'reserve' | 'take' | 'give' | 'runs' | 'dissolve'; who: number; frames: number; top: boolean };

/** A model that knows only sets. */
class Model {
  readonly allocator = new FrameAllocator(host);
  private owners: Owner[] = [];
  private readonly everywhere = new Set<number>();

  do({ kind, who, frames, top }: Action): void {
    if (kind === 'reserve') return this.reserve(frames, top);
    const owner = this.owners[who % Math.max(1, this.owners.length)];
    if (!owner) return;
    this[kind](owner);
    assert.equal(owner.reservation.used, owner.has.size);
  }
  private reserve(frames: number, top: boolean): void {
    const promised = this.owners.reduce((sum, { reservation }) => sum + Math.ceil(reservation.frames / RUN_FRAMES), 0);
    const fits = promised + Math.ceil(frames / RUN_FRAMES) <= RUNS;
    assert.equal(this.allocator.unreserved, (RUNS - promised) * RUN_FRAMES);
    if (fits) {
      const reservation = this.allocator.reserve('somebody', frames, top ? 'top' : 'bottom');
      this.owners.push({ reservation, has: new Set() });
    } else assert.throws(() => this.allocator.reserve('somebody', frames), /^UserError: somebody asks for .* MiB .* give it less/);
  } // prettier-ignore
  private take(owner: Owner): void {
    const frame = owner.reservation.take();
    assert.equal(frame === undefined, owner.has.size === owner.reservation.frames, 'what was reserved is there');
    if (frame !== undefined) this.got(owner, frame);
  }
  private got(owner: Owner, frame: number): void {
    assert.ok(frame >= 0 && frame < RUNS * RUN_FRAMES && !this.everywhere.has(frame), `frame ${frame} is another's`);
    owner.has.add(frame);
    this.everywhere.add(frame);
  }
  private give(owner: Owner): void {
    const [frame] = owner.has;
    if (frame === undefined) return;
    owner.reservation.give(frame);
    owner.has.delete(frame);
    this.everywhere.delete(frame);
    assert.throws(() => owner.reservation.give(frame), /does not have/);
  }
  private runs(owner: Owner): void {
    if (owner.has.size > 0) return;
    const { reservation } = owner;
    let frames;
    try {
      frames = reservation.takeRuns(reservation.frames);
    } catch {
      // Single frames were taken and given back: there are no whole runs any more.
      return;
    }
    for (const frame of frames) this.got(owner, frame);
    assert.equal(frames[0] % RUN_FRAMES, 0);
  }
  private dissolve(owner: Owner): void {
    owner.reservation.dissolve();
    assert.equal(owner.reservation.take(), undefined);
    for (const frame of owner.has) this.everywhere.delete(frame);
    owner.has.clear();
    this.owners = this.owners.filter((each) => each !== owner);
  }
  end(): void {
    for (const owner of [...this.owners]) this.dissolve(owner);
    assert.equal(this.allocator.unreserved, RUNS * RUN_FRAMES);
  }
}

describe('frames of the host', () => {
  it('are never promised twice, nor given to two, and come back', () => {
    const action = fc.record({
      kind: fc.constantFrom('reserve', 'reserve', 'take', 'take', 'take', 'give', 'runs', 'dissolve'),
      who: fc.nat(20),
      frames: fc.constantFrom(1, 3, RUN_FRAMES - 1, RUN_FRAMES, RUN_FRAMES + 1, 3 * RUN_FRAMES, 9 * RUN_FRAMES),
      top: fc.boolean(),
    }) as fc.Arbitrary<Action>;
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
        const model = new Model();
        for (const each of actions) model.do(each);
        model.end();
      }),
      { numRuns: 150 },
    );
  });

  it('single frames are zeros, wherever they were before', () => {
    const allocator = new FrameAllocator(host);
    const reservation = allocator.reserve('somebody', 2);
    const frame = reservation.take()!;
    host.data.fill(0xaa, frame * PAGE_BYTES, (frame + 1) * PAGE_BYTES);
    reservation.give(frame);
    assert.equal(reservation.take(), frame);
    assert.ok(host.data.subarray(frame * PAGE_BYTES, (frame + 1) * PAGE_BYTES).every((byte) => byte === 0));
  });

  it('guests and the hypervisor come from opposite ends', () => {
    const allocator = new FrameAllocator(host);
    assert.equal(allocator.reserve('guest', RUN_FRAMES, 'top').take(), (RUNS - 1) * RUN_FRAMES);
    assert.equal(allocator.reserve('tables', 5).take(), 0);
  });
});
