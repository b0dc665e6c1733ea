/**
 * What the processor leaves on the stack when it enters the guest's kernel, recognised without debug information.
 * SDM vol. 3A section 6.14.2 (64-bit mode: SS, RSP, RFLAGS, CS, RIP, always, RSP aligned to 16 before) and 6.12
 * (protected mode: SS and ESP only with a change of privilege).
 */
import type { Inspector } from '../emulator/machine/api';
import type { RegisterNumbers } from './dwarf-registers';

export interface HardwareFrame {
  /** gva of the saved instruction pointer. */
  at: bigint;
  pc: bigint;
  cs: number;
  flags: bigint;
  sp: bigint;
  cpl: number;
  /** The word below: the error code, where the vector has one. */
  below: bigint;
}

/** RFLAGS: bit 1 is 1; bits 3, 5, 15 and 22 up are 0 (SDM vol. 1 figure 3-8). */
const FLAGS_ONE = 1n << 1n;
const FLAGS_ZERO = (1n << 3n) | (1n << 5n) | (1n << 15n);

export class StackReader {
  private cache = new Map<bigint, Uint8Array>();

  constructor(
    readonly inspect: Inspector,
    readonly cpu: number,
    readonly numbers: RegisterNumbers,
  ) {}

  bytes(gva: bigint, count: number): Uint8Array {
    return this.inspect.readVirtual(this.cpu, gva, count);
  }

  /** A stack word, unsigned; undefined where nothing is mapped. Reads 256 bytes ahead: scans ask for neighbours. */
  word(gva: bigint): bigint | undefined {
    const { word } = this.numbers;
    const block = gva & ~255n;
    let bytes = this.cache.get(block);
    if (bytes === undefined) this.cache.set(block, (bytes = this.bytes(block, 256)));
    const offset = Number(gva - block);
    if (offset + word > bytes.length) {
      bytes = this.bytes(gva, word);
      return bytes.length < word ? undefined : unsigned(bytes, 0, word);
    }
    return unsigned(bytes, offset, word);
  }

  executable(gva: bigint, user: boolean): boolean {
    return this.inspect.translate(this.cpu, gva, 'execute', { user }).gpa !== undefined;
  }

  /** Whether the word at `gva` is where execution goes on after a call: the bytes before it are one. */
  isReturnAddress(value: bigint, user: boolean): boolean {
    if (value < 8n || !this.executable(value, user)) return false;
    const before = this.bytes(value - 7n, 7);
    return before.length === 7 && endsWithCall(before);
  }

  /** Whether execution went from `value - 2` into the kernel by SYSCALL (0F 05) or SYSENTER (0F 34). */
  isSystemCallReturn(value: bigint): boolean {
    if (value < 2n || value >= 1n << 47n || !this.executable(value, true)) return false;
    const before = this.bytes(value - 2n, 2);
    return before.length === 2 && before[0] === 0x0f && (before[1] === 0x05 || before[1] === 0x34);
  }

  /** The frame that an interrupt or exception pushed, if its saved RIP lies at `at`. `cpl` is that of the handler. */
  hardwareFrame(at: bigint, cpl: number): HardwareFrame | undefined {
    const { word } = this.numbers;
    const step = BigInt(word);
    const cs = this.word(at + step);
    const flags = this.word(at + 2n * step);
    if (cs === undefined || flags === undefined || cs > 0xffffn || cs < 8n) return undefined;
    if ((flags & FLAGS_ONE) === 0n || (flags & FLAGS_ZERO) !== 0n || flags >> 22n !== 0n) return undefined;
    const rpl = Number(cs & 3n);
    if (rpl < cpl || !this.isCodeSelector(Number(cs))) return undefined;
    const pc = this.word(at);
    if (pc === undefined || !this.executable(pc, rpl === 3)) return undefined;
    let sp: bigint | undefined = at + 3n * step;
    if (word === 8 || rpl > cpl) {
      sp = this.word(at + 3n * step);
      const ss = this.word(at + 4n * step);
      // A null SS is what 64-bit mode loads on a change to ring 0.
      if (sp === undefined || ss === undefined || ss > 0xffffn || (ss !== 0n && Number(ss & 3n) !== rpl))
        return undefined;
    }
    return { at, pc, cs: Number(cs), flags, sp, cpl: rpl, below: this.word(at - step) ?? 0n };
  }

  /** A present code segment in the global table (SDM vol. 3A section 3.4.5.1); local tables are taken on trust. */
  private isCodeSelector(selector: number): boolean {
    if (selector & 4) return true;
    const registers = this.inspect.registers(this.cpu);
    const index = BigInt(selector & ~7);
    if (index + 7n > (registers.get('gdtr.limit') ?? 0n)) return false;
    const access = this.bytes((registers.get('gdtr.base') ?? 0n) + index + 5n, 1)[0];
    return access !== undefined && (access & 0x98) === 0x98;
  }
}

const unsigned = (bytes: Uint8Array, offset: number, count: number): bigint => {
  let value = 0n;
  for (let n = count - 1; n >= 0; n--) value = (value << 8n) | BigInt(bytes[offset + n]!);
  return value;
};

/** CALL rel32 (E8), and CALL r/m (FF /2) in its lengths of 2 to 7 bytes, far calls left out. */
function endsWithCall(before: Uint8Array): boolean {
  const end = before.length;
  if (before[end - 5] === 0xe8) return true;
  const isIndirect = (length: number): boolean =>
    before[end - length] === 0xff && (before[end - length + 1]! & 0x38) === 0x10;
  const modrm = (length: number): number => before[end - length + 1]!;
  if (isIndirect(2) && (modrm(2) & 0xc7) !== 0x04 && (modrm(2) >> 6 === 3 || modrm(2) >> 6 === 0)) return true;
  if (isIndirect(3) && (modrm(3) >> 6 === 1 || (modrm(3) & 0xc7) === 0x04)) return true;
  if (isIndirect(4) && (modrm(4) & 0xc7) === 0x44) return true;
  if (isIndirect(6) && ((modrm(6) & 0xc7) === 0x05 || modrm(6) >> 6 === 2)) return true;
  return isIndirect(7) && ((modrm(7) & 0xc7) === 0x84 || (modrm(7) & 0xc7) === 0x04);
}

/** Where the guest's gates lead: handler address to vector (SDM vol. 3A sections 6.11 and 6.14.1). */
export function readGates(inspect: Inspector, cpu: number): Map<bigint, number> {
  const gates = new Map<bigint, number>();
  const registers = inspect.registers(cpu);
  const mode = inspect.mode(cpu);
  if (mode === 'real') return gates;
  const long = ((registers.get('efer') ?? 0n) & (1n << 10n)) !== 0n;
  const size = long ? 16 : 8;
  const limit = Math.min(Number(registers.get('idtr.limit') ?? 0n) + 1, 256 * size);
  const table = inspect.readVirtual(cpu, registers.get('idtr.base') ?? 0n, limit);
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  for (let vector = 0; (vector + 1) * size <= table.length; vector++) {
    const at = vector * size;
    if ((view.getUint8(at + 5) & 0x80) === 0) continue;
    let target = BigInt(view.getUint16(at, true)) | (BigInt(view.getUint16(at + 6, true)) << 16n);
    if (long) target |= BigInt(view.getUint32(at + 8, true)) << 32n;
    if (!gates.has(target)) gates.set(target, vector);
  }
  return gates;
}
