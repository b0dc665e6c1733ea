/**
 * 8042 keyboard controller of the AT and PS/2, with the keyboard and mouse of ps2.ts behind it.
 * Source: IBM PS/2 hardware interface technical reference, "Keyboard and auxiliary device controller".
 *
 * Bytes need no time on the wire: the next one is there when the last one was read.
 * Not emulated: keyboard password, the input port's jumpers, polling of the port nibbles (C1h, C2h; reported).
 */
import type { Device, Inspection, Line, Unsupported } from './bus';
import { sequenceOf } from './keyboard-keys';
import { Ps2Keyboard, Ps2Mouse } from './ps2';
import type { Ps2Saved } from './ps2';
import { SET1_LEFT_SHIFT, SET2_TO_SET1, keyOf, set2Of } from './scan-codes';

const STATUS = { OUTPUT_FULL: 1, SYSTEM: 4, COMMAND: 8, UNLOCKED: 0x10, AUX_FULL: 0x20 } as const;
/** Command byte: controller RAM 0. */
const CB = { IRQ1: 1, IRQ12: 2, SYSTEM: 4, KEYBOARD_OFF: 0x10, AUX_OFF: 0x20, TRANSLATE: 0x40 } as const;
/** Output port; LINES: clock and data of both devices, idle. */
const OUT = { NOT_RESET: 1, A20: 2, AUX_FULL: 0x20, OUTPUT_FULL: 0x10, LINES: 0xcc } as const;

export interface KeyboardPins {
  irq1: Line;
  irq12: Line;
  a20(level: boolean): void;
  resetPulse(): void;
  unsupported: Unsupported;
}

interface Saved {
  ram: Uint8Array;
  outputPort: number;
  /** The output buffer: its byte, and who sent it. */
  output: number;
  source: 'none' | 'keyboard' | 'aux';
  /** Controller responses that wait for the buffer; aux: as if from the mouse. */
  replies: { byte: number; aux: boolean }[];
  /** Command whose parameter comes next at port 60h; 0: none, data goes to the keyboard. */
  awaits: number;
  lastWasCommand: boolean;
  /** Translation saw F0h: the next code is a release. */
  release: boolean;
  keyboard: Ps2Saved;
  mouse: Ps2Saved;
}

export class KeyboardController implements Device<Saved> {
  readonly name = 'keyboard';
  readonly ports = [
    { first: 0x60, last: 0x60 },
    { first: 0x64, last: 0x64 },
  ];
  private readonly keyboard = new Ps2Keyboard();
  private readonly mouse = new Ps2Mouse();
  private s = this.initial();

  constructor(private readonly pins: KeyboardPins) {}

  private initial(): Saved {
    const ram = new Uint8Array(32);
    ram[0] = CB.KEYBOARD_OFF | CB.AUX_OFF | CB.TRANSLATE;
    return {
      ram, outputPort: OUT.LINES | OUT.NOT_RESET | OUT.A20, output: 0, source: 'none', replies: [], awaits: 0,
      lastWasCommand: false, release: false, keyboard: this.keyboard.save(), mouse: this.mouse.save(),
    }; // prettier-ignore
  }

  reset(): void {
    this.keyboard.reset();
    this.mouse.reset();
    this.s = this.initial();
    this.pins.a20(true);
    this.update();
  }
  save(): Saved {
    return structuredClone({ ...this.s, keyboard: this.keyboard.save(), mouse: this.mouse.save() });
  }
  restore(saved: Saved): void {
    this.s = structuredClone(saved);
    this.keyboard.restore(saved.keyboard);
    this.mouse.restore(saved.mouse);
  }

  get a20Enabled(): boolean {
    return (this.s.outputPort & OUT.A20) !== 0;
  }

  /** Presses and releases the keys that type `text` on a US keyboard; characters without a key are reported. */
  typeText(text: string): void {
    for (const character of text) {
      const key = keyOf(character);
      if (!key) {
        this.pins.unsupported(`keyboard: no key types ${JSON.stringify(character)}`);
        continue;
      }
      const shift = set2Of(SET1_LEFT_SHIFT);
      const code = set2Of(key.code);
      if (key.shift) this.keyboard.key([shift]);
      this.keyboard.key([code]);
      this.keyboard.key([0xf0, code]);
      if (key.shift) this.keyboard.key([0xf0, shift]);
    }
    this.refill();
  }
  /** A key by its place (keyboard-keys.ts) goes down or up; false: there is no such key. */
  press(name: string, down: boolean): boolean {
    const sequence = sequenceOf(name, down);
    if (sequence) this.keyboard.key(sequence);
    this.refill();
    return sequence !== undefined;
  }
  moveMouse(dx: number, dy: number, buttons: number): void {
    this.mouse.move(dx, dy, buttons);
    this.refill();
  }

  readPort(port: number): number {
    if (port === 0x64) return this.status();
    const byte = this.s.output;
    this.s.source = 'none';
    this.update(); // the lines fall before the next byte raises them again
    this.refill();
    return byte;
  }

  writePort(port: number, _bytes: number, byte: number): void {
    this.s.lastWasCommand = port === 0x64;
    if (port === 0x64) this.command(byte);
    else this.data(byte);
    this.refill();
  }

  inspect(): Inspection {
    return {
      status: this.status(), commandByte: this.s.ram[0]!, outputPort: this.s.outputPort, output: this.s.output,
      source: this.s.source, a20: this.a20Enabled, leds: this.keyboard.leds,
    }; // prettier-ignore
  }

  private status(): number {
    const { source, ram, lastWasCommand } = this.s;
    return (
      (source !== 'none' ? STATUS.OUTPUT_FULL : 0) |
      (ram[0]! & CB.SYSTEM ? STATUS.SYSTEM : 0) |
      (lastWasCommand ? STATUS.COMMAND : 0) |
      STATUS.UNLOCKED |
      (source === 'aux' ? STATUS.AUX_FULL : 0)
    );
  }

  private reply(byte: number, aux = false): void {
    this.s.replies.push({ byte, aux });
  }

  private command(byte: number): void {
    const { ram } = this.s;
    this.s.awaits = 0;
    if (byte >= 0x20 && byte < 0x40) return this.reply(ram[byte & 0x1f]!);
    if (byte >= 0x60 && byte < 0x80) {
      this.s.awaits = byte;
      return;
    }
    if (byte >= 0xf0) {
      if (!(byte & OUT.NOT_RESET)) this.pins.resetPulse();
      return;
    }
    switch (byte) {
      case 0xa7:
        ram[0]! |= CB.AUX_OFF;
        return;
      case 0xa8:
        ram[0]! &= ~CB.AUX_OFF;
        return;
      case 0xa9: // test of the mouse's wires
      case 0xab: // and of the keyboard's
        return this.reply(0);
      case 0xaa: // self test
        ram[0]! |= CB.SYSTEM;
        return this.reply(0x55);
      case 0xad:
        ram[0]! |= CB.KEYBOARD_OFF;
        return;
      case 0xae:
        ram[0]! &= ~CB.KEYBOARD_OFF;
        return;
      case 0xc0: // input port: keyboard not locked
        return this.reply(0x80);
      case 0xd0:
        return this.reply(this.outputPins());
      case 0xd1: // output port
      case 0xd2: // as if from the keyboard
      case 0xd3: // as if from the mouse
      case 0xd4: // to the mouse
        this.s.awaits = byte;
        return;
      case 0xdd:
      case 0xdf:
        return this.writeOutputPort(byte === 0xdf ? this.s.outputPort | OUT.A20 : this.s.outputPort & ~OUT.A20);
      case 0xe0: // test inputs: clock lines
        return this.reply(0);
      default:
        this.pins.unsupported(`8042 command 0x${byte.toString(16)}`);
    }
  }

  private data(byte: number): void {
    const { awaits } = this.s;
    this.s.awaits = 0;
    if (awaits === 0) {
      // Writing to the keyboard also switches it on (technical reference, command ADh).
      this.s.ram[0]! &= ~CB.KEYBOARD_OFF;
      this.keyboard.write(byte);
    } else if (awaits < 0x80) {
      this.s.ram[awaits & 0x1f] = byte;
      this.update();
    } else if (awaits === 0xd1) this.writeOutputPort(byte);
    else if (awaits === 0xd4) {
      this.s.ram[0]! &= ~CB.AUX_OFF;
      this.mouse.write(byte);
    } else this.reply(byte, awaits === 0xd3);
  }

  private outputPins(): number {
    const { source, outputPort } = this.s;
    const full = source === 'keyboard' ? OUT.OUTPUT_FULL : source === 'aux' ? OUT.AUX_FULL : 0;
    return (outputPort & ~(OUT.OUTPUT_FULL | OUT.AUX_FULL)) | full;
  }

  private writeOutputPort(byte: number): void {
    this.s.outputPort = byte;
    this.pins.a20((byte & OUT.A20) !== 0);
    if (!(byte & OUT.NOT_RESET)) this.pins.resetPulse();
  }

  /** Moves the next byte into the free output buffer: controller, keyboard, mouse. */
  private refill(): void {
    while (this.s.source === 'none') {
      const commandByte = this.s.ram[0]!;
      const reply = this.s.replies.shift();
      if (reply) this.fill(reply.byte, reply.aux ? 'aux' : 'keyboard');
      else if (this.keyboard.hasByte && !(commandByte & CB.KEYBOARD_OFF)) this.fromKeyboard(this.keyboard.take());
      else if (this.mouse.hasByte && !(commandByte & CB.AUX_OFF)) this.fill(this.mouse.take(), 'aux');
      else break;
    }
    this.update();
  }

  private fromKeyboard(byte: number): void {
    if (!(this.s.ram[0]! & CB.TRANSLATE)) return this.fill(byte, 'keyboard');
    if (byte === 0xf0) {
      this.s.release = true;
      return;
    }
    const code = byte === 0x83 ? 0x41 : byte === 0x84 ? 0x54 : (SET2_TO_SET1[byte] ?? byte);
    this.fill(this.s.release ? code | 0x80 : code, 'keyboard');
    this.s.release = false;
  }

  private fill(byte: number, source: 'keyboard' | 'aux'): void {
    this.s.output = byte;
    this.s.source = source;
  }

  private update(): void {
    const { source, ram } = this.s;
    this.pins.irq1.set(source === 'keyboard' && (ram[0]! & CB.IRQ1) !== 0);
    this.pins.irq12.set(source === 'aux' && (ram[0]! & CB.IRQ12) !== 0);
  }
}
