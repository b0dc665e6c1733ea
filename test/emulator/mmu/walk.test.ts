/** The walker against a second one, written from the manual's figures with bigints and no regard for speed. */
import assert from 'node:assert/strict';
import { formatOf, emptyContext, MAXPHYADDR } from '../../../emulator/mmu/guest-paging';
import type { PagingContext } from '../../../emulator/mmu/guest-paging';
import { translate } from '../../../emulator/mmu/inspect';
import { PhysicalMemory } from '../../../emulator/mmu/physical-memory';
import { ACCESS, RIGHTS, Walker } from '../../../emulator/mmu/walk';
import type { Rights } from '../../../emulator/mmu/walk';

const RAM_BYTES = 1 << 20;
/** Pages of entries, pointing at each other. */
const TABLES = 8;

interface Rules {
  kind: '2-level' | 'PAE' | '4-level';
  wp: boolean;
  smep: boolean;
  smap: boolean;
  nxe: boolean;
  pse: boolean;
}
interface Outcome {
  gpa?: bigint;
  error?: number;
  /** gpa of every entry read, and whether it is the leaf. */
  entries: { gpa: bigint; leaf: boolean; marks: boolean }[];
}

/** SDM vol. 3A figures 4-2 to 4-11 and section 4.6, one format after the other. */
function naive(
  read: (gpa: bigint, bytes: number) => bigint,
  pdptes: bigint[],
  root: bigint,
  rules: Rules,
  gva: bigint,
  access: 'read' | 'write' | 'execute',
  user: boolean,
  ac: boolean,
): Outcome {
  const entries: Outcome['entries'] = [];
  const bit = (v: bigint, n: number): boolean => ((v >> BigInt(n)) & 1n) === 1n;
  const fault = (p: boolean, rsvd: boolean): Outcome => {
    let error = (p ? 1 : 0) | (access === 'write' ? 2 : 0) | (user ? 4 : 0) | (rsvd ? 8 : 0);
    if (access === 'execute' && (rules.smep || (rules.nxe && rules.kind !== '2-level'))) error |= 16;
    return { error, entries };
  };
  let w = true;
  let u = true;
  let nx = false;
  let base = root;
  let gpa = -1n;
  const shifts = { '2-level': [22, 12], PAE: [30, 21, 12], '4-level': [39, 30, 21, 12] }[rules.kind];
  const bytes = rules.kind === '2-level' ? 4 : 8;
  for (const shift of shifts) {
    const index = rules.kind === '2-level' ? (gva >> BigInt(shift)) & 1023n : (gva >> BigInt(shift)) & 511n;
    const register = rules.kind === 'PAE' && shift === 30;
    const at = base + index * BigInt(bytes);
    const e = register ? pdptes[Number(index & 3n)] : read(at, bytes);
    if (!bit(e, 0)) return fault(false, false);
    const ps = bit(e, 7);
    const leaf =
      shift === 12 ||
      (ps && (shift === 21 || (shift === 22 && rules.pse) || (shift === 30 && rules.kind === '4-level')));
    if (rules.kind !== '2-level' && !register) {
      for (let b = MAXPHYADDR; b < 52; b++) if (bit(e, b)) return fault(true, true);
      if (rules.kind === 'PAE') for (let b = 52; b < 63; b++) if (bit(e, b)) return fault(true, true);
      if (bit(e, 63) && !rules.nxe) return fault(true, true);
      if (shift === 39 && ps) return fault(true, true);
      if (leaf) for (let b = 13; b < shift; b++) if (bit(e, b)) return fault(true, true);
    }
    if (rules.kind === '2-level' && leaf && shift === 22 && bit(e, 21)) return fault(true, true);
    entries.push({ gpa: at, leaf, marks: !register });
    if (!register) {
      w &&= bit(e, 1);
      u &&= bit(e, 2);
      nx ||= rules.nxe && rules.kind !== '2-level' && bit(e, 63);
    }
    if (leaf) {
      const size = 1n << BigInt(shift);
      let page = e & ((1n << 52n) - 1n) & ~(size - 1n);
      if (rules.kind === '2-level') {
        page = e & 0xffff_ffffn & ~(size - 1n);
        if (shift === 22) page |= ((e >> 13n) & 0xffn) << 32n;
      }
      gpa = page + (gva & (size - 1n));
      break;
    }
    base = e & ((1n << 52n) - 1n) & ~0xfffn;
  }
  let ok: boolean;
  if (user) ok = u && (access === 'read' || (access === 'write' && w) || (access === 'execute' && !nx));
  else if (access === 'execute') ok = !nx && !(u && rules.smep);
  else ok = !(u && rules.smap && !ac) && (access === 'read' || w || !rules.wp);
  return ok ? { gpa, entries } : fault(true, false);
}

/** xorshift32: the same walks every time. */
function generator(seed: number): (bound: number) => number {
  let s = seed;
  return (bound) => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return (s >>> 0) % bound;
  };
}

describe('page walk', () => {
  const memory = new WebAssembly.Memory({ initial: RAM_BYTES / 65536 });
  const physical = new PhysicalMemory(memory, RAM_BYTES, 0);
  const walker = new Walker(physical);

  for (const kind of ['2-level', 'PAE', '4-level'] as const)
    it(`${kind}: 100,000 random walks give the address, error code and A/D bits that the manual gives`, () => {
      const random = generator(0x5eed + kind.length);
      const seen = { ok: 0, absent: 0, reserved: 0, rights: 0, large: 0 };
      const wordsOfTables = (TABLES * 4096) / 4;
      const tables = Buffer.from(memory.buffer, 0, TABLES * 4096);
      const bytes = kind === '2-level' ? 4 : 8;
      const scramble = (): void => {
        // Mostly sane.
        for (let i = 0; i < wordsOfTables; i++) {
          const odd = bytes === 8 && i % 2 === 1;
          let v = odd ? 0 : (random(TABLES) << 12) | (random(16) ? 7 : random(8)) | random(0x200);
          if (odd && random(40) === 0) v = 1 << random(20);
          if (odd && random(12) === 0) v |= 0x8000_0000;
          if (!odd && random(8)) v |= 1;
          if (!odd && random(4) === 0)
            v = (v & 0xfff) | 0x80 | (random(4) << 30) | (random(8) === 0 ? 1 << (12 + random(18)) : 0);
          else if (!odd) v &= ~0x80;
          physical.words[i] = v;
        }
      };
      for (let n = 0; n < 100_000; n++) {
        if (n % 1000 === 0) scramble();
        const rules: Rules = {
          kind, wp: !!random(2), smep: !!random(2), smap: !!random(2), nxe: !!random(2), pse: !!random(2),
        }; // prettier-ignore
        const paging: PagingContext = {
          ...emptyContext(),
          format: formatOf(true, kind !== '2-level', kind === '4-level', {
            nxe: rules.nxe,
            pse: rules.pse,
            gigabytePages: true,
          }),
          root: random(TABLES) << 12,
          writeProtect: rules.wp,
          smep: rules.smep,
          smap: rules.smap,
        };
        const pdptes: bigint[] = [];
        for (let i = 0; i < 4; i++) {
          const v = (random(TABLES) << 12) | (random(8) ? 1 : 0);
          paging.pdptes[i * 2] = v;
          pdptes.push(BigInt(v));
        }
        const lo = (random(0x1_0000) << 16) | random(0x1_0000);
        const hi = kind === '4-level' ? (random(0x1_0000) << 16) >> 16 : 0;
        const gva = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
        const access = (['read', 'write', 'execute'] as const)[random(3)];
        const rights: Rights = ([RIGHTS.supervisor, RIGHTS.user, RIGHTS.smapOff] as const)[random(3)];
        const read = (gpa: bigint, size: number): bigint => {
          if (gpa >= RAM_BYTES || (gpa >= 0xa0000n && gpa < 0xc0000n)) return (1n << BigInt(size * 8)) - 1n;
          return size === 4
            ? BigInt(physical.view.getUint32(Number(gpa), true))
            : physical.view.getBigUint64(Number(gpa), true);
        };
        const before = Buffer.from(tables);
        const want = naive(
          read,
          pdptes,
          BigInt(paging.root),
          rules,
          gva,
          access,
          rights === RIGHTS.user,
          rights === RIGHTS.smapOff,
        );
        const debug = translate(paging, physical, gva, {
          access,
          user: rights === RIGHTS.user,
          smapOff: rights === RIGHTS.smapOff,
        });
        assert.ok(tables.equals(before), 'the debugger changed memory');
        const got = walker.walk(paging, lo, hi, ACCESS[access], rights);
        const context = `walk ${n}: ${access} of ${gva.toString(16)}, rights ${rights}, ${JSON.stringify(rules)}`;
        if (want.error !== undefined) {
          assert.equal(got, -1 - want.error, context);
          assert.equal(debug.fault?.errorCode, want.error, context);
          assert.ok(tables.equals(before), context);
          seen[want.error & 8 ? 'reserved' : want.error & 1 ? 'rights' : 'absent']++;
          continue;
        }
        seen.ok++;
        if (walker.pageShift > 12) seen.large++;
        assert.equal(BigInt(got), want.gpa, context);
        assert.equal(debug.gpa, got, context);
        for (const e of want.entries) {
          if (!e.marks || e.gpa >= BigInt(wordsOfTables * 4)) continue;
          before[Number(e.gpa)] |= 0x20 | (e.leaf && access === 'write' ? 0x40 : 0);
        }
        assert.ok(tables.equals(before), context);
      }
      for (const [what, count] of Object.entries(seen))
        assert.ok(count > 300 || (what === 'reserved' && kind === '2-level'), `${what}: only ${count}`);
    }).timeout(120_000);
});
