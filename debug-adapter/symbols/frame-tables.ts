/** Call-frame information: .eh_frame (LSB 5.0 section 10.6) and .debug_frame (DWARF 5 section 6.4.1). */
import { DwarfError, Reader } from './reader';
import { lastAtMost, Numbers, Recent, type Slices, sortedOrder } from './slices';

export interface Cie {
  version: number;
  addressSize: number;
  codeAlignment: number;
  dataAlignment: number;
  returnRegister: number;
  /** 'S': a frame that a signal or interrupt made. */
  signalFrame: boolean;
  /** DW_EH_PE of the addresses in its FDEs. */
  encoding: number;
  augmented: boolean;
  instructions: Uint8Array;
}
export interface Fde {
  cie: Cie;
  low: number;
  high: number;
  instructions: Uint8Array;
}

const PE = { ABSPTR: 0x00, ULEB: 0x01, UDATA2: 0x02, UDATA4: 0x03, UDATA8: 0x04, SLEB: 0x09, SDATA2: 0x0a, SDATA4: 0x0b, SDATA8: 0x0c, PCREL: 0x10, OMIT: 0xff, INDIRECT: 0x80 } as const; // prettier-ignore

/** One of the two sections, with its FDEs sorted by address. */
export class FrameTable {
  private low = new Float64Array(0);
  private offsets = new Uint32Array(0);
  private readonly cies = new Map<number, Cie | undefined>();
  private readonly fdes = new Recent<number, Fde | undefined>(256);

  constructor(
    private readonly bytes: Uint8Array,
    /** Of .eh_frame: its addresses are relative to themselves. Undefined for .debug_frame. */
    private readonly gva: number | undefined,
    private readonly addressSize: number,
    private readonly mapped: (address: number) => boolean,
    private readonly warn: (text: string) => void,
  ) {}

  get name(): string {
    return this.gva === undefined ? '.debug_frame' : '.eh_frame';
  }
  get count(): number {
    return this.low.length;
  }

  async index(slices: Slices): Promise<void> {
    const [low, offsets] = [new Numbers(new Float64Array(64)), new Numbers(new Uint32Array(64))];
    let at = 0;
    try {
      for (let n = 0; at < this.bytes.length; n++) {
        const record = this.record(at);
        if (!record) break;
        if (!record.isCie) {
          const fde = this.readFde(at);
          if (fde && fde.high > fde.low && this.mapped(fde.low)) {
            low.push(fde.low);
            offsets.push(at);
          }
        }
        at = record.end;
        if ((n & 0xff) === 0 && slices.due()) await slices.pause();
      }
    } catch (error) {
      if (!(error instanceof DwarfError)) throw error;
      this.warn(`${this.name} is read up to 0x${at.toString(16)}: ${error.message}`);
    }
    const order = await sortedOrder(low.trimmed(), slices);
    this.low = Float64Array.from(order, (i) => low.get(i));
    this.offsets = Uint32Array.from(order, (i) => offsets.get(i));
  }

  find(pc: number): Fde | undefined {
    for (let i = lastAtMost(this.low, pc), tries = 0; i >= 0 && tries < 4; i--, tries++) {
      const fde = this.fdes.get(this.offsets[i]!, () => this.readFde(this.offsets[i]!));
      if (fde && pc < fde.high) return fde;
    }
    return undefined;
  }

  /** Head of a CIE or FDE; undefined at the zero terminator. `start`: past the id field. */
  private record(
    at: number,
  ): { reader: Reader; end: number; isCie: boolean; cie: number; offsetSize: 4 | 8 } | undefined {
    const reader = new Reader(this.bytes, this.name, at);
    const { length, offsetSize } = reader.initialLength();
    if (length === 0) {
      // .eh_frame ends so; crtend's terminator may stand before further tables of a kernel's linker script.
      return reader.done ? undefined : { reader, end: reader.at, isCie: true, cie: 0, offsetSize };
    }
    const end = reader.at + length;
    if (end > reader.end) throw new DwarfError(`the record at 0x${at.toString(16)} reaches beyond the section's end`);
    reader.end = end;
    const idAt = reader.at;
    // In .eh_frame the id stays 4 bytes in the 64-bit format as well (LSB 5.0 section 10.6.1.1).
    const id = this.gva === undefined ? reader.offset(offsetSize) : reader.u32();
    // All ones; as a number, 64 of them round to 2^64.
    const isCie = this.gva !== undefined ? id === 0 : id === (offsetSize === 8 ? 2 ** 64 : 0xffff_ffff);
    return { reader, end, isCie, cie: this.gva !== undefined ? idAt - id : id, offsetSize };
  }

  private cie(at: number): Cie | undefined {
    if (!this.cies.has(at)) this.cies.set(at, this.readCie(at));
    return this.cies.get(at);
  }
  private readCie(at: number): Cie | undefined {
    const record = this.record(at);
    if (!record?.isCie || record.reader.at === record.end)
      throw new DwarfError(`there is no CIE at 0x${at.toString(16)}`);
    const { reader, end } = record;
    const version = reader.u8();
    if (version !== 1 && version !== 3 && version !== 4)
      throw new DwarfError(`the CIE at 0x${at.toString(16)} has version ${version}`);
    const augmentation = reader.string();
    let addressSize = this.addressSize;
    if (version >= 4) {
      addressSize = reader.u8();
      if (reader.u8() !== 0) throw new DwarfError(`the CIE at 0x${at.toString(16)} uses segments`);
    }
    const [codeAlignment, dataAlignment] = [reader.uleb(), reader.sleb()];
    const returnRegister = version === 1 ? reader.u8() : reader.uleb();
    const cie: Cie = { version, addressSize, codeAlignment, dataAlignment, returnRegister, signalFrame: false, encoding: PE.ABSPTR, augmented: false, instructions: new Uint8Array(0) }; // prettier-ignore
    this.augment(cie, augmentation, reader);
    cie.instructions = reader.block(end - reader.at);
    return cie;
  }
  private augment(cie: Cie, augmentation: string, reader: Reader): void {
    cie.signalFrame = augmentation.includes('S');
    if (!augmentation.startsWith('z')) {
      if (augmentation !== '' && augmentation !== 'S')
        throw new DwarfError(`CIE augmentation "${augmentation}" is not known`);
      return;
    }
    cie.augmented = true;
    const end = reader.uleb() + reader.at;
    for (const letter of augmentation.slice(1)) {
      if (letter === 'R') cie.encoding = reader.u8();
      else if (letter === 'L') reader.skip(1);
      else if (letter === 'P') this.encoded(reader, reader.u8(), cie.addressSize);
      else if (letter !== 'S' && letter !== 'B') break;
    }
    if (end > reader.end || end < reader.at) throw new DwarfError('CIE augmentation data is damaged');
    reader.at = end;
  }

  private readFde(at: number): Fde | undefined {
    const record = this.record(at);
    if (!record || record.isCie) return undefined;
    const cie = this.cie(record.cie);
    if (!cie) return undefined;
    const { reader, end } = record;
    const low = this.encoded(reader, cie.encoding, cie.addressSize);
    const high = low + this.encoded(reader, cie.encoding & 0x0f, cie.addressSize);
    if (cie.augmented) reader.skip(reader.uleb());
    return { cie, low, high, instructions: reader.block(end - reader.at) };
  }
  /** A pointer in DW_EH_PE encoding (LSB 5.0 section 10.5.1). */
  private encoded(reader: Reader, encoding: number, addressSize: number): number {
    if (encoding === PE.OMIT) return 0;
    const at = reader.at;
    const value = encodedNumber(reader, encoding & 0x0f, addressSize);
    const relative = encoding & 0x70;
    if (relative !== 0 && relative !== PE.PCREL)
      throw new DwarfError(`pointer encoding 0x${encoding.toString(16)} is not known`);
    if (relative === 0) return value;
    const sum = value + (this.gva ?? 0) + at;
    return addressSize === 4 ? sum >>> 0 : sum;
  }
}

export const encodedNumber = (reader: Reader, encoding: number, addressSize: number): number => {
  switch (encoding) {
    case PE.ABSPTR:
      return reader.address(addressSize);
    case PE.ULEB:
      return reader.uleb();
    case PE.UDATA2:
      return reader.u16();
    case PE.UDATA4:
      return reader.u32();
    case PE.UDATA8:
    case PE.SDATA8:
      return reader.address(8);
    case PE.SLEB:
      return reader.sleb();
    case PE.SDATA2:
      return (reader.u16() << 16) >> 16;
    case PE.SDATA4:
      return reader.u32() | 0;
    default:
      throw new DwarfError(`pointer encoding 0x${encoding.toString(16)} is not known`);
  }
};
