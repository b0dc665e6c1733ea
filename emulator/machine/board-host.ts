/** What a board is made to, and what it tells the machine around it. */
import type { Clock, ShadowedMemory } from '../devices/bus';

/** 2024-01-01 00:00:00 UTC: a date that does not depend on the host. */
export const DEFAULT_START_SECONDS = 1_704_067_200;

/** What the board tells the machine. All are called synchronously, from within an access or `tick`. */
export interface BoardHost {
  clock: Clock;
  /** What bus masters reach, and what the chip set lays ROM over. */
  memory: ShadowedMemory;
  /** A byte left the first serial port. */
  onConsole(byte: number): void;
  /** A byte was written to port E9h; by default it goes to nobody. */
  onDebugCharacter?(byte: number): void;
  /** At most once for each text. */
  unsupported(what: string): void;
  powerOff(): void;
  /** Reset was asked for (8042, port 92h, CF9h): nothing has been reset yet, see Board.reset. */
  resetRequested(): void;
  debugExit(code: number): void;
  /** Address line 20 follows the address (true) or is held at 0. */
  a20(level: boolean): void;
  /** An interrupt of deliverable priority, NMI, INIT or SIPI is pending at this processor. */
  cpuAttention(cpu: number): void;
  /** An access brought the next deadline forward: `nextDeadline()` is earlier than when it was last asked. */
  deadlineMoved?(): void;
  /** What the guest's writes added to a processor's TSC (for TSC deadlines); 0 unless said. */
  tscOffset?(cpu: number): bigint;
}

export interface BoardConfig {
  memoryBytes: number;
  cpus: number;
  /** Seconds since 1970 at power-on, for the real-time clock. */
  startSeconds?: number;
}
