/** BTF made by the test, with known answers. */
import { BTF } from '../../../debug-adapter/symbols/btf';
import { Bytes } from './kallsyms-image';

/** Types in the order of their numbers, the first is 1; text as it comes. */
export class BtfBuilder {
  private readonly types = new Bytes();
  private readonly strings = new Bytes();
  private next: number;

  /** `base`: how many types and bytes of text come before, for a module's. */
  constructor(private readonly base: { types: number; text: number } = { types: 0, text: 0 }) {
    this.next = base.types + 1;
    if (base.text === 0) this.strings.put(0);
  }

  text(value: string): number {
    if (value === '') return 0;
    const at = this.strings.at + this.base.text;
    this.strings.text(value).put(0);
    return at;
  }
  type(kind: number, name: string, sizeOrType: number, words: number[] = [], vlen = 0, flag = false): number {
    this.types.number(this.text(name), 4).number((flag ? 0x8000_0000 : 0) + kind * 2 ** 24 + vlen, 4);
    this.types.number(sizeOrType, 4);
    for (const word of words) this.types.number(word, 4);
    return this.next++;
  }
  int(name: string, bytes: number, encoding = 0): number {
    return this.type(BTF.INT, name, bytes, [(encoding << 24) | (bytes * 8)]);
  }
  pointer(to: number): number {
    return this.type(BTF.PTR, '', to);
  }
  struct(name: string, bytes: number, members: [name: string, type: number, bits: number, size?: number][]): number {
    const packed = members.some(([, , , size]) => size !== undefined);
    const words = members.flatMap(([member, type, bits, size = 0]) => [this.text(member), type, packed ? bits + size * 2 ** 24 : bits]); // prettier-ignore
    return this.type(BTF.STRUCT, name, bytes, words, members.length, packed);
  }
  enumeration(name: string, values: [name: string, value: number][]): number {
    return this.type(BTF.ENUM, name, 4, values.flatMap(([each, value]) => [this.text(each), value]), values.length); // prettier-ignore
  }
  function(name: string, returns: number, parameters: [name: string, type: number][]): number {
    const prototype = this.type(BTF.FUNC_PROTO, '', returns, parameters.flatMap(([each, type]) => [this.text(each), type]), parameters.length); // prettier-ignore
    return this.type(BTF.FUNC, name, prototype);
  }

  get sizes(): { types: number; text: number } {
    return { types: this.next - 1, text: this.base.text + this.strings.at };
  }
  bytes(): Uint8Array {
    const [types, strings] = [this.types.bytes, this.strings.bytes];
    const all = new Bytes().number(0xeb9f, 2).put(1, 0).number(24, 4).number(0, 4).number(types.length, 4);
    all.number(types.length, 4).number(strings.length, 4);
    return Uint8Array.from([...all.bytes, ...types, ...strings]);
  }
}
