/** The kernel's memory, whatever the processor runs now: where its tables do not map it, the kernel's own do. */
import type { Inspector } from '../../emulator/machine/api';
import { littleEndian } from '../symbols/location-expressions';

const PAGE = 4096n;
const DECODER = new TextDecoder();

export class KernelMemory {
  /** CR3 of the kernel's own page tables; with page-table isolation a user program's do not map the kernel. */
  root: bigint | undefined;

  constructor(
    private readonly inspect: () => Inspector,
    readonly pointerBytes: 4 | 8,
    private readonly cpu: () => number,
  ) {}

  /** As many bytes as are mapped, from the start. */
  readonly read = (gva: bigint, bytes: number): Uint8Array => {
    const direct = this.inspect().readVirtual(this.cpu(), gva, bytes);
    return direct.length === bytes || this.root === undefined ? direct : this.byRoot(gva, bytes, this.root);
  };
  private byRoot(gva: bigint, bytes: number, cr3: bigint): Uint8Array {
    const result = new Uint8Array(bytes);
    const inspect = this.inspect();
    for (let done = 0; done < bytes;) {
      const at = gva + BigInt(done);
      const { gpa } = inspect.translate(this.cpu(), at, 'read', { user: false, cr3 });
      const length = Math.min(bytes - done, Number(PAGE - (at & (PAGE - 1n))));
      const part = gpa === undefined ? new Uint8Array() : inspect.readPhysical(gpa, length);
      result.set(part, done);
      done += part.length;
      if (part.length < length) return result.slice(0, done);
    }
    return result;
  }

  unsigned(gva: bigint, bytes: number): bigint | undefined {
    const read = this.read(gva, bytes);
    return read.length < bytes ? undefined : littleEndian(read);
  }
  pointer(gva: bigint): bigint | undefined {
    return this.unsigned(gva, this.pointerBytes);
  }
  /** Up to a zero byte, at most `limit` bytes. */
  text(gva: bigint, limit: number): string {
    const read = this.read(gva, limit);
    const end = read.indexOf(0);
    return DECODER.decode(end < 0 ? read : read.subarray(0, end));
  }
}
