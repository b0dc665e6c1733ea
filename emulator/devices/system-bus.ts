/**
 * Ports and MMIO of one board, and who answers where. What nobody answers reads as all ones, as an undriven data bus
 * does; a part whose absence guests probe for is known by name (absent.ts), anything else is reported once.
 */
import { assert } from '../util/assert';
import type { Decoder, Range, Unsupported, Window } from './bus';
import { absentPart } from './absent';

type Size = 1 | 2 | 4;
interface MmioRange extends Range {
  window: Window;
}

const PORTS = 0x1_0000;
const ones = (bytes: number): number => (bytes === 4 ? 0xffff_ffff : (1 << (bytes * 8)) - 1);
const hex = (value: number): string => `0x${value.toString(16)}`;

/** Ports that nobody answers are reported by number, up to so many. */
const NAMED_PORTS = 16;

export class SystemBus implements Decoder {
  /** Called after an access that may have moved a deadline or a line. */
  onAccess: () => void = () => {};
  private readonly portMap = new Array<Window | undefined>(PORTS).fill(undefined);
  /** Sorted by address, disjoint. */
  private mmioMap: MmioRange[] = [];
  private lastHit: MmioRange | undefined;
  private readonly reported = new Set<string>();

  constructor(private readonly unsupported: Unsupported) {}

  /** What is taken already keeps its owner: a guest can place windows where it likes. */
  attach(window: Window): void {
    for (const { first, last } of window.ports ?? []) {
      for (let port = first; port <= last && port < PORTS; port++) this.portMap[port] ??= window;
    }
    for (const { first, last } of window.mmio ?? []) {
      const taken = this.mmioMap.find((range) => range.first <= last && first <= range.last);
      if (taken) {
        this.unsupported(`${window.name} at ${hex(first)} over ${taken.window.name}`);
        continue;
      }
      this.mmioMap.push({ first, last, window });
    }
    this.mmioMap.sort((a, b) => a.first - b.first);
    this.lastHit = undefined;
  }

  detach(window: Window): void {
    for (const { first, last } of window.ports ?? []) {
      for (let port = first; port <= last && port < PORTS; port++) {
        if (this.portMap[port] === window) this.portMap[port] = undefined;
      }
    }
    this.mmioMap = this.mmioMap.filter((range) => range.window !== window);
    this.lastHit = undefined;
  }

  readPort(port: number, bytes: Size): number {
    const window = this.portMap[port & 0xffff];
    if (window === undefined) return bytes === 1 ? this.absentPort(port & 0xffff) : this.splitRead(port, bytes);
    if (!this.fits(window, port, bytes)) return this.splitRead(port, bytes);
    const value = window.readPort ? window.readPort(port, bytes) >>> 0 : ones(bytes);
    this.onAccess();
    return value;
  }

  writePort(port: number, bytes: Size, value: number): void {
    const window = this.portMap[port & 0xffff];
    if (window === undefined ? bytes > 1 : !this.fits(window, port, bytes)) {
      const half = (bytes / 2) as Size;
      this.writePort(port, half, value & ones(half));
      this.writePort((port + half) & 0xffff, half, (value >>> (half * 8)) & ones(half));
    } else if (window === undefined) {
      this.absentPort(port & 0xffff);
    } else {
      window.writePort?.(port, bytes, value >>> 0);
      this.onAccess();
    }
  }

  readMmio(gpa: number, bytes: Size): number {
    const range = this.mmioAt(gpa);
    if (range !== undefined && bytes <= (range.window.mmioBytes ?? 4) && gpa + bytes - 1 <= range.last) {
      const { window } = range;
      const value = window.readMmio ? window.readMmio(gpa, bytes) >>> 0 : ones(bytes);
      if (!window.plainMemory) this.onAccess();
      return value;
    }
    if (bytes > 1) {
      const half = (bytes / 2) as Size;
      const low = this.readMmio(gpa, half);
      return (low | (this.readMmio(gpa + half, half) << (half * 8))) >>> 0;
    }
    this.absentMemory(gpa);
    return 0xff;
  }

  writeMmio(gpa: number, bytes: Size, value: number): void {
    const range = this.mmioAt(gpa);
    if (range !== undefined && bytes <= (range.window.mmioBytes ?? 4) && gpa + bytes - 1 <= range.last) {
      range.window.writeMmio?.(gpa, bytes, value >>> 0);
      if (!range.window.plainMemory) this.onAccess();
    } else if (bytes > 1) {
      const half = (bytes / 2) as Size;
      this.writeMmio(gpa, half, value & ones(half));
      this.writeMmio(gpa + half, half, (value >>> (half * 8)) & ones(half));
    } else {
      this.absentMemory(gpa);
    }
  }

  /** Somebody answers at this address. */
  decodes(gpa: number): boolean {
    return this.mmioAt(gpa) !== undefined;
  }

  private fits(window: Window, port: number, bytes: number): boolean {
    if (bytes === 1) return true;
    if (bytes > (window.portBytes ?? 1)) return false;
    return this.portMap[port + bytes - 1] === window;
  }

  private splitRead(port: number, bytes: Size): number {
    assert(bytes > 1, 'a byte cannot be split');
    const half = (bytes / 2) as Size;
    const low = this.readPort(port, half);
    return (low | (this.readPort((port + half) & 0xffff, half) << (half * 8))) >>> 0;
  }

  private mmioAt(gpa: number): MmioRange | undefined {
    const hit = this.lastHit;
    if (hit !== undefined && gpa >= hit.first && gpa <= hit.last) return hit;
    let low = 0;
    let high = this.mmioMap.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.mmioMap[middle]!.last < gpa) low = middle + 1;
      else high = middle;
    }
    const found = this.mmioMap[low];
    if (found === undefined || found.first > gpa) return undefined;
    this.lastHit = found;
    return found;
  }

  private absentPort(port: number): number {
    if (absentPart(port) === undefined && this.absentPorts.size <= NAMED_PORTS) this.namePort(port);
    return 0xff;
  }
  /** A guest that probes for ISA cards is not worth a hundred lines either. */
  private namePort(port: number): void {
    this.absentPorts.add(port);
    this.report(this.absentPorts.size <= NAMED_PORTS ? `I/O port ${hex(port)}` : 'further I/O ports');
  }
  private readonly absentPorts = new Set<number>();

  /** One report for each MiB: a guest that scans memory is not worth a thousand lines. */
  private absentMemory(gpa: number): void {
    const block = Math.floor(gpa / 0x10_0000);
    if (!this.reported.has(`block ${block}`)) {
      this.reported.add(`block ${block}`);
      this.unsupported(`memory-mapped I/O at gp:${hex(gpa)}`);
    }
  }

  private report(what: string): void {
    if (this.reported.has(what)) return;
    this.reported.add(what);
    this.unsupported(what);
  }
}
