/**
 * The two devices behind an 8042: a keyboard (scan code set 2) and a three-button mouse, as queues of bytes.
 * Source: IBM PS/2 hardware interface technical reference (keyboard and mouse sections).
 *
 * Not emulated: scan code sets 1 and 3 (selecting them is acknowledged with FEh, resend), typematic repeat, wheel.
 */

const ACK = 0xfa;
const RESEND = 0xfe;
const PASSED = 0xaa;
/** What a device holds before it drops input; command responses always fit. */
const QUEUE = 256;

export interface Ps2Saved {
  queue: number[];
  /** Command whose parameter comes next; 0: none. */
  awaits: number;
  enabled: boolean;
  lastSent: number;
  /** Keyboard: LEDs. Mouse: sample rate. */
  parameter: number;
  /** Mouse: resolution, scaling 2:1 (bit 4), remote mode (bit 6), buttons. */
  resolution: number;
  mode: number;
  buttons: number;
}

abstract class Ps2Device {
  protected s: Ps2Saved = this.initial();

  protected abstract initial(): Ps2Saved;
  abstract write(byte: number): void;

  get hasByte(): boolean {
    return this.s.queue.length > 0;
  }
  take(): number {
    this.s.lastSent = this.s.queue.shift() ?? 0;
    return this.s.lastSent;
  }
  reset(): void {
    this.s = this.initial();
  }
  save(): Ps2Saved {
    return structuredClone(this.s);
  }
  restore(saved: Ps2Saved): void {
    this.s = structuredClone(saved);
  }
  protected say(...bytes: number[]): void {
    this.s.queue.push(...bytes);
  }
}

const fresh = (parameter: number): Ps2Saved => ({
  queue: [], awaits: 0, enabled: false, lastSent: 0, parameter, resolution: 2, mode: 0, buttons: 0,
}); // prettier-ignore

export class Ps2Keyboard extends Ps2Device {
  protected initial(): Ps2Saved {
    return { ...fresh(0), enabled: true };
  }

  /** A whole make or break sequence, set 2; dropped when scanning is off or the buffer is full. */
  key(sequence: readonly number[]): void {
    if (this.s.enabled && this.s.queue.length + sequence.length <= QUEUE) this.say(...sequence);
  }

  write(byte: number): void {
    const awaited = this.s.awaits;
    this.s.awaits = 0;
    // A byte with the high bit set is a command even where a parameter was expected.
    if (awaited !== 0 && byte < 0x80) return this.parameterOf(awaited, byte);
    switch (byte) {
      case 0xed: // LEDs
      case 0xf0: // scan code set
      case 0xf3: // typematic rate
        this.s.awaits = byte;
        return this.say(ACK);
      case 0xee: // echo
        return this.say(0xee);
      case 0xf2: // identify: MF2
        return this.say(ACK, 0xab, 0x83);
      case 0xf4:
        this.s.enabled = true;
        return this.say(ACK);
      case 0xf5:
      case 0xf6:
        this.s = { ...this.initial(), queue: this.s.queue, enabled: byte === 0xf6 };
        return this.say(ACK);
      case 0xfe:
        return this.say(this.s.lastSent);
      case 0xff:
        this.s = this.initial();
        return this.say(ACK, PASSED);
      default:
        return this.say(RESEND);
    }
  }

  private parameterOf(command: number, byte: number): void {
    if (command === 0xed) this.s.parameter = byte;
    if (command !== 0xf0) return this.say(ACK);
    if (byte === 0) return this.say(ACK, 2);
    this.say(byte === 2 ? ACK : RESEND);
  }

  get leds(): number {
    return this.s.parameter;
  }
}

export class Ps2Mouse extends Ps2Device {
  protected initial(): Ps2Saved {
    return fresh(100);
  }

  /** Counts to the right and up, and buttons (1 left, 2 right, 4 middle). */
  move(dx: number, dy: number, buttons: number): void {
    this.s.buttons = buttons & 7;
    if (this.s.enabled && !(this.s.mode & 0x40) && this.s.queue.length + 3 <= QUEUE) this.packet(dx, dy);
  }

  write(byte: number): void {
    const awaited = this.s.awaits;
    this.s.awaits = 0;
    if (awaited !== 0) {
      if (awaited === 0xf3) this.s.parameter = byte;
      else this.s.resolution = byte & 3;
      return this.say(ACK);
    }
    switch (byte) {
      case 0xe6: // scaling 1:1
        this.s.mode &= ~0x10;
        return this.say(ACK);
      case 0xe7: // scaling 2:1
        this.s.mode |= 0x10;
        return this.say(ACK);
      case 0xe8: // resolution
      case 0xf3: // sample rate
        this.s.awaits = byte;
        return this.say(ACK);
      case 0xe9: // status
        return this.say(
          ACK,
          this.s.mode | (this.s.enabled ? 0x20 : 0) | this.buttonStatus(),
          this.s.resolution,
          this.s.parameter,
        );
      case 0xea: // stream mode
        this.s.mode &= ~0x40;
        return this.say(ACK);
      case 0xeb: // read data
        this.say(ACK);
        return this.packet(0, 0);
      case 0xf0: // remote mode
        this.s.mode |= 0x40;
        return this.say(ACK);
      case 0xf2:
        return this.say(ACK, 0);
      case 0xf4:
      case 0xf5:
        this.s.enabled = byte === 0xf4;
        return this.say(ACK);
      case 0xf6:
        this.s = { ...this.initial(), queue: this.s.queue };
        return this.say(ACK);
      case 0xff:
        this.s = this.initial();
        return this.say(ACK, PASSED, 0);
      default:
        return this.say(RESEND);
    }
  }

  /** Status order is left, middle, right from bit 2 down. */
  private buttonStatus(): number {
    const { buttons } = this.s;
    return ((buttons & 1) << 2) | ((buttons & 4) >> 1) | ((buttons & 2) >> 1);
  }

  private packet(dx: number, dy: number): void {
    const clamp = (n: number): number => Math.max(-256, Math.min(255, n));
    const [x, y] = [clamp(dx), clamp(dy)];
    this.say(8 | this.s.buttons | (x < 0 ? 0x10 : 0) | (y < 0 ? 0x20 : 0), x & 0xff, y & 0xff);
  }
}
