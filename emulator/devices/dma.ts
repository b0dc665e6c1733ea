/**
 * The two 8237A DMA controllers of the PC and their page registers: the register file only, so that firmware and
 * drivers find the controllers that they program. Source: Intel 8237A data sheet (231466-005); 82371AB data sheet.
 *
 * Not emulated: transfers. No chip on this board asks for one; a software request is reported. Port 80h is a page
 * register that nobody uses and BIOSes write their progress to.
 */
import type { Device, Inspection, Unsupported } from './bus';

interface Controller {
  /** Base and current address and count of each channel, low and high byte by the flip-flop: [address, count]. */
  registers: number[];
  highNext: boolean;
  mask: number;
  command: number;
  mode: number[];
}
interface Saved {
  controllers: Controller[];
  pages: Uint8Array;
}

const controller = (): Controller => ({
  registers: new Array<number>(8).fill(0), highNext: false, mask: 0x0f, command: 0, mode: [0, 0, 0, 0],
}); // prettier-ignore

export class Dma implements Device<Saved> {
  readonly name = 'dma';
  readonly ports = [
    { first: 0x00, last: 0x0f },
    { first: 0x80, last: 0x91 },
    { first: 0x93, last: 0x9f },
    { first: 0xc0, last: 0xdf },
  ];
  private s: Saved = { controllers: [controller(), controller()], pages: new Uint8Array(32) };

  constructor(private readonly unsupported: Unsupported) {}

  reset(): void {
    this.s.controllers = [controller(), controller()];
  }
  save(): Saved {
    return structuredClone(this.s);
  }
  restore(saved: Saved): void {
    this.s = structuredClone(saved);
  }

  readPort(port: number): number {
    if (port >= 0x80 && port < 0xa0) return this.s.pages[port - 0x80]!;
    const { c, register } = this.decode(port);
    if (register < 8) {
      const value = c.registers[register]!;
      const high = c.highNext;
      c.highNext = !high;
      return high ? value >> 8 : value & 0xff;
    }
    if (register === 8) return 0; // status: no request, no terminal count
    return register === 15 ? c.mask | 0xf0 : 0;
  }

  writePort(port: number, _bytes: number, byte: number): void {
    if (port >= 0x80 && port < 0xa0) {
      this.s.pages[port - 0x80] = byte;
      return;
    }
    const { c, register } = this.decode(port);
    if (register < 8) {
      const value = c.registers[register]!;
      c.registers[register] = c.highNext ? (value & 0xff) | (byte << 8) : (value & 0xff00) | byte;
      c.highNext = !c.highNext;
      return;
    }
    const bit = 1 << (byte & 3);
    if (register === 8) c.command = byte;
    else if (register === 9 && byte & 4) this.unsupported('8237: software DMA request');
    else if (register === 10) c.mask = byte & 4 ? c.mask | bit : c.mask & ~bit;
    else if (register === 11) c.mode[byte & 3] = byte & 0xfc;
    else if (register === 12) c.highNext = false;
    else if (register === 13) Object.assign(c, controller());
    else if (register === 14) c.mask = 0;
    else if (register === 15) c.mask = byte & 0x0f;
  }

  inspect(): Inspection {
    const [first, second] = this.s.controllers;
    return { 'mask.0-3': first!.mask, 'mask.4-7': second!.mask, post: this.s.pages[0]! };
  }

  /** The second controller's registers lie on even ports. */
  private decode(port: number): { c: Controller; register: number } {
    if (port < 0x10) return { c: this.s.controllers[0]!, register: port };
    return { c: this.s.controllers[1]!, register: (port - 0xc0) >> 1 };
  }
}
