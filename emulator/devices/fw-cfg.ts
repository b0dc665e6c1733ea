/**
 * The firmware configuration device: a selector, a data register, a DMA interface, and files by name, for firmware that
 * asks the machine what it is made of. Source: QEMU "docs/specs/fw_cfg"; SeaBIOS "docs/Runtime_config".
 *
 * Not emulated: items that can be written.
 */
import type { Device, GuestMemory, Inspection } from './bus';

const PORT = { SELECT: 0x510, DATA: 0x511, DMA_HIGH: 0x514, DMA_LOW: 0x518 } as const;
const KEY = { SIGNATURE: 0x00, ID: 0x01, DIRECTORY: 0x19, FIRST_FILE: 0x20 } as const;
const HAS_DMA = 3;
const CONTROL = { ERROR: 1, READ: 2, SKIP: 4, SELECT: 8, WRITE: 16 } as const;
const NAME_BYTES = 56;
const COMMAND_BYTES = 16;
const PIECE_BYTES = 1 << 16;

export type FwCfgFiles = Readonly<Record<string, Uint8Array>>;
/** Items that have a number and no name. */
export type FwCfgItems = ReadonlyMap<number, Uint8Array>;

const text = (value: string): Uint8Array => Uint8Array.from(value, (c) => c.charCodeAt(0));

interface Saved {
  key: number;
  offset: number;
  dmaHigh: number;
}

export class FwCfg implements Device<Saved> {
  readonly name = 'fw-cfg';
  readonly ports = [
    { first: PORT.SELECT, last: PORT.DATA },
    { first: PORT.DMA_HIGH, last: PORT.DMA_LOW + 3 },
  ];
  readonly portBytes = 4;
  private s: Saved = { key: 0, offset: 0, dmaHigh: 0 };
  private readonly items: Map<number, Uint8Array>;

  constructor(
    private readonly memory: GuestMemory,
    numbered: FwCfgItems,
    files: FwCfgFiles,
  ) {
    this.items = new Map(numbered);
    this.items.set(KEY.SIGNATURE, text('QEMU'));
    this.items.set(KEY.ID, Uint8Array.of(HAS_DMA, 0, 0, 0));
    // In the order of their names, so that numbers do not depend on who added what first.
    const names = Object.keys(files).sort();
    const directory = new DataView(new ArrayBuffer(4 + names.length * (8 + NAME_BYTES)));
    directory.setUint32(0, names.length);
    names.forEach((name, i) => {
      const at = 4 + i * (8 + NAME_BYTES);
      directory.setUint32(at, files[name]!.length);
      directory.setUint16(at + 4, KEY.FIRST_FILE + i);
      new Uint8Array(directory.buffer).set(text(name).subarray(0, NAME_BYTES - 1), at + 8);
      this.items.set(KEY.FIRST_FILE + i, files[name]!);
    });
    this.items.set(KEY.DIRECTORY, new Uint8Array(directory.buffer));
  }

  reset(): void {
    this.s = { key: 0, offset: 0, dmaHigh: 0 };
  }
  save(): Saved {
    return { ...this.s };
  }
  restore(saved: Saved): void {
    this.s = { ...saved };
  }
  inspect(): Inspection {
    return { ...this.s };
  }

  readPort(port: number, bytes: number): number {
    // The DMA address reads as a signature, big-endian.
    if (port >= PORT.DMA_HIGH) return pack(text('QEMU CFG'), port - PORT.DMA_HIGH, bytes);
    if (port !== PORT.DATA) return 0;
    return this.take(1)[0]!;
  }

  writePort(port: number, bytes: number, value: number): void {
    if (port === PORT.SELECT && bytes === 2) this.select(value);
    else if (port === PORT.DMA_HIGH && bytes === 4) this.s.dmaHigh = swap(value);
    else if (port === PORT.DMA_LOW && bytes === 4) {
      this.command(this.s.dmaHigh * 0x1_0000_0000 + swap(value));
      this.s.dmaHigh = 0;
    }
  }

  private select(key: number): void {
    this.s.key = key & 0xffff;
    this.s.offset = 0;
  }
  /** The next bytes of the selected item, zeros behind its end. */
  private take(bytes: number): Uint8Array {
    const out = new Uint8Array(bytes);
    const item = this.items.get(this.s.key);
    if (item) out.set(item.subarray(this.s.offset, this.s.offset + bytes));
    this.s.offset = Math.min(this.s.offset + bytes, item?.length ?? 0);
    return out;
  }

  /** Control, length, address, all big-endian, at `gpa`; done when control is 0. */
  private command(gpa: number): void {
    const bytes = this.memory.readBytes(gpa, COMMAND_BYTES);
    if (bytes.length < COMMAND_BYTES) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const control = view.getUint32(0);
    const length = view.getUint32(4);
    const address = view.getUint32(8) * 0x1_0000_0000 + view.getUint32(12);
    if (control & CONTROL.SELECT) this.select(control >>> 16);
    let failed = false;
    if (control & CONTROL.READ) failed = !this.copy(address, length);
    else if (control & CONTROL.SKIP) this.s.offset = Math.min(this.s.offset + length, this.items.get(this.s.key)?.length ?? 0);
    else if (control & CONTROL.WRITE) failed = true;
    this.memory.writeBytes(gpa, Uint8Array.of(0, 0, 0, failed ? CONTROL.ERROR : 0));
  } // prettier-ignore

  private copy(gpa: number, bytes: number): boolean {
    for (let done = 0; done < bytes; done += PIECE_BYTES) {
      const part = this.take(Math.min(PIECE_BYTES, bytes - done));
      if (this.memory.writeBytes(gpa + done, part) < part.length) return false;
    }
    return true;
  }
}

const swap = (value: number): number =>
  ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;

/** Little-endian bytes of a port read. */
function pack(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = (value << 8) | (bytes[at + i] ?? 0);
  return value >>> 0;
}
