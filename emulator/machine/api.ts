/**
 * The machine as the CLI, the debug adapter and tests see it. machine.ts implements it. Everything under `inspect`
 * reads through a door that cannot write: no accessed bit, no device side effect, no time passes.
 * Addresses: gva (linear guest-virtual) bigint, gpa (guest-physical) number, below 2^52.
 */

import type { Tier } from '../execution/tier';
import type { DomainConfig, DomainInfo, DomainState } from '../hypervisor/domain';
import type { SilentHole, VmExit } from '../hypervisor/exit';
import type { ExitLog } from '../hypervisor/exits';
import type { HoleLog } from '../hypervisor/guest';
import type {
  HypervisorInspector,
  Mapping,
  TableInspector,
  Translation,
  TranslationStepper,
  WalkStep,
} from './inspect-api';

export type { DomainConfig, DomainInfo, DomainState, Mapping, SilentHole, Translation, VmExit, WalkStep };

/** Why `run` returned. `domain`: the id of the one that it happened in, where several run. */
export type Stop = StopReason & { domain?: number };
type StopReason =
  /** The instructions asked for have retired. */
  | { kind: 'limit' }
  /** `requestStop` was called, or a hook asked. */
  | { kind: 'requested' }
  /** About to execute the instruction at `gva`; nothing of it has happened. */
  | { kind: 'breakpoint'; cpu: number; gva: bigint; ids: number[] }
  /** The instruction before the current one touched watched memory. */
  | { kind: 'watchpoint'; cpu: number; gva: bigint; access: 'read' | 'write'; bytes: number; old: bigint; new: bigint; ids: number[] }
  /** An exception or interrupt is about to be delivered; RIP is at the instruction it belongs to (or past it: traps). */
  | { kind: 'trap'; cpu: number; event: TrapEvent }
  | { kind: 'triple-fault'; cpu: number; event: TrapEvent }
  /** A guest left to its hypervisor, which has done nothing yet; going on lets it. */
  | { kind: 'vm-exit'; cpu: number; exit: VmExit }
  /** About to execute a sensitive instruction that will not trap. */
  | { kind: 'silent-hole'; cpu: number; hole: SilentHole }
  /** Every processor is halted with interrupts off: nothing will ever happen again. */
  | { kind: 'dead-halt' }
  /** Every processor is halted and no timer runs: only outside input can wake it. */
  | { kind: 'idle' }
  | { kind: 'power-off' }
  /** A paravirtualised domain has shut itself down to be saved. */
  | { kind: 'suspend' }
  /** A paravirtualised domain cannot go on, or says so itself. `reason`: a clause about the domain. */
  | { kind: 'crash'; cpu: number; reason: string }
  | { kind: 'reset' }
  /** The debug-exit port was written; `code` is what QEMU would exit with: the value * 2 + 1. */
  | { kind: 'debug-exit'; code: number }; // prettier-ignore

export interface TrapEvent {
  vector: number;
  source: 'exception' | 'interrupt' | 'software' | 'nmi';
  errorCode?: number;
  /** CR2 that a page fault will set. */
  address?: bigint;
  /** Address of the instruction it belongs to. */
  rip: bigint;
  cpl: number;
  /** See VmExit. */
  ported?: true;
}

export interface MachineConfig {
  /** Bytes; a multiple of 1 MiB. */
  memory: number;
  cpus: number;
  /** How instructions are executed, the same in all ways; settings of the compiler are for tests. */
  tier?: Tier;
  /** Processor model and changes to it, `haswell,-avx2` (cpu/models.ts); `max` unless said. */
  cpu?: string;
  /** How the guest is run; `none` unless said: by the bare machine. */
  technique?: Technique;
  /** How its memory is virtualised; the technique's own way unless said. */
  paging?: Paging;
}

export const TECHNIQUES = ['none', 'trap-and-emulate', 'binary-translation', 'paravirtual', 'vt-x', 'amd-v'] as const;
export type Technique = (typeof TECHNIQUES)[number];
export const PAGINGS = ['shadow', 'direct', 'nested'] as const;
export type Paging = (typeof PAGINGS)[number];

/** What the hypervisor knows of a guest that it runs. */
export interface Virtualization {
  /** Number of the domain on its host. */
  readonly domain: number;
  readonly technique: Technique;
  readonly paging: Paging;
  readonly exits: ExitLog;
  readonly holes: HoleLog;
  /** Its tables, its control blocks, its translations. */
  readonly inspect: HypervisorInspector;
  /** Under binary translation. */
  readonly translation?: TranslationStepper;
}

/** What is on a disk before the guest writes: read as the guest asks for it, never written. */
export interface DiskContent {
  readonly bytes: number;
  /** Within `bytes`. */
  read(offset: number, bytes: number): Uint8Array;
}
export interface DiskInput {
  /** For messages. */
  name: string;
  content: DiskContent;
  interface: 'ide' | 'virtio';
  /** A CD-ROM is read-only and needs `ide`. */
  media: 'disk' | 'cdrom';
  readOnly: boolean;
}

/** What is plugged into the machine, whatever starts it. */
export interface Equipment {
  disks?: readonly DiskInput[];
  /** Where typed input goes, and whose output is the console's besides the serial port: `serial` unless said. */
  console?: 'serial' | 'virtio';
}

/** A BIOS that starts the machine by itself, from a disk. */
export interface FirmwareInput extends Equipment {
  /** For messages. */
  name: string;
  firmware: Uint8Array;
  /** Option ROM that gives the display its BIOS services. */
  vgaRom?: Uint8Array;
}

/** The image to start, and what goes with it: bytes that the host read. */
export interface BootInput extends Equipment {
  /** For messages. */
  name: string;
  kernel: Uint8Array;
  initrd?: { name: string; bytes: Uint8Array };
  /** `args`: behind its name on its command line. */
  modules?: { name: string; bytes: Uint8Array; args?: string }[];
  append?: string;
  /** A paravirtual domain without a kernel: domain 0 fills it. */
  empty?: true;
}

export interface RegisterFile {
  /**
   * By name: `rax`..`r15`, `eax`, `ax`, `al`, `ah`...; `rip`; `rflags`, and single flags `cf`, `zf`, `if`, `iopl`...;
   * `cs`..`gs`, `ldtr`, `tr` (selectors), with `.base`, `.limit`, `.attributes`; `cr0`, `cr2`, `cr3`, `cr4`, `cr8`,
   * `dr0`-`dr7`, `gdtr.base`, `gdtr.limit`, `idtr.base`, `idtr.limit`, `efer` and every name of
   * SYSTEM_REGISTERS; `st0`-`st7` (80 bits), `xmm0`-`xmm15` (128 bits), `mxcsr`, `fcw`, `fsw`. Undefined: no such name.
   */
  get(name: string): bigint | undefined;
  /** An explicit edit by the user; recorded as outside input. False: no such name or not writable. */
  set(name: string, value: bigint): boolean;
  /** Names by group, for lists. */
  readonly groups: Readonly<
    Record<'general' | 'segment' | 'control' | 'debug' | 'flags' | 'x87' | 'vector' | 'system', readonly string[]>
  >;
}

export interface DisassembledInstruction {
  gva: bigint;
  bytes: Uint8Array;
  /** Intel syntax with bare hexadecimal numbers; `(bad)` for what does not decode, one byte long. */
  text: string;
  mnemonic: string;
  /** Near branch or call target, where the instruction has one. */
  target?: bigint;
  isCall: boolean;
  isReturn: boolean;
}

export interface Inspector {
  registers(cpu: number): RegisterFile;
  /** `cpl` as of now, or asked for; walks the tables now in force, or those at `cr3`. */
  translate(cpu: number, gva: bigint, access?: 'read' | 'write' | 'execute', options?: { user?: boolean; cr3?: bigint }): Translation;
  /** As much as is mapped, from the start: may be shorter than asked, also empty. Device memory reads as absent. */
  readVirtual(cpu: number, gva: bigint, bytes: number): Uint8Array;
  readPhysical(gpa: number, bytes: number): Uint8Array;
  /** Bytes written. Does not obey read-only pages: the user is above the guest. Caches of code are dropped. */
  writeVirtual(cpu: number, gva: bigint, bytes: Uint8Array): number;
  writePhysical(gpa: number, bytes: Uint8Array): number;
  /** Addresses through all spaces, and everybody's page tables. */
  readonly tables: TableInspector;
  /** Mappings from `from` on, in order, at most `limit`. */
  mappings(cpu: number, from: bigint, limit: number): Mapping[];
  /** `space`: of the address; code is guest-virtual unless said, and the others are for looking at what is not mapped. */
  disassemble(cpu: number, at: bigint, count: number, codeSize?: 16 | 32 | 64, space?: 'gv' | 'gp' | 'hp'): DisassembledInstruction[];
  /** `real`, `virtual-8086`, `protected-16`, `protected-32`, `compatibility-16`, `compatibility-32`, `long`. */
  mode(cpu: number): string;
  /** Linear address of the next instruction: CS base and RIP. */
  pc(cpu: number): bigint;
  halted(cpu: number): boolean;
  /** Descriptor tables, devices, and so on, by name: trees of plain values. */
  structures(cpu: number): Record<string, unknown>;
  /** Registers in there that the user may set, as `device.register`: `pic.master.imr`. */
  editableDevices(): readonly string[];
  /** False: there is no such register, or nobody may set it. */
  setDevice(path: string, value: number): boolean;
  /** Called after a write to CR0, CR3, CR4 or EFER changed what addresses mean; must only inspect. Costs nothing while unset. */
  onAddressSpace: ((cpu: number) => void) | undefined;
} // prettier-ignore

/** A condition in the run loop: true stops. Called synchronously between two instructions; must only inspect. `cpu` is
 *  the processor at the breakpoint, or whose access is watched; 0 when left out. */
export type When = (cpu?: number) => boolean;

export interface BreakpointSpec {
  id: number;
  gva: bigint;
  when?: When;
}
export interface WatchpointSpec {
  id: number;
  /** One of the two: `gpa` whatever address leads there. */
  gva?: bigint;
  gpa?: number;
  bytes: number;
  access: 'read' | 'write' | 'readWrite';
  when?: When;
}
export interface TrapFilter {
  /** Undefined: every vector. */
  vector?: number;
  when?: (event: TrapEvent, cpu: number) => boolean;
}

export interface Screen {
  columns: number;
  rows: number;
  /** A string of `columns` characters a row. */
  text: string[];
  /** Of each cell, row by row: foreground in bits 3:0, background in bits 6:4, blinking in bit 7. */
  attributes: Uint8Array;
  /** Undefined: off, or not on the screen. */
  cursor?: { row: number; column: number };
}

export interface Machine {
  /** Absent on the bare machine. */
  readonly virtualization?: Virtualization;
  readonly config: Readonly<MachineConfig>;
  readonly inspect: Inspector;
  /** Retired instructions, all processors; guest time in ns. */
  readonly instructions: number;
  readonly ns: number;

  /** Loads and resets. UserError with file, field and remedy for a bad image. */
  boot(input: BootInput | FirmwareInput): void;
  /** What the guest wrote to the disks of `boot`, in their order: ascending runs of bytes, disjoint. */
  diskChanges(disk: number): { offset: number; bytes: Uint8Array }[];
  /**
   * Runs until `instructions` have retired in total from now, or something stops it earlier. Synchronous: callers slice.
   * After a breakpoint or trap stop, calling it again continues with the instruction (or delivery) it stopped at.
   */
  run(instructions: number): Stop;
  /** From a hook (console output, for one): return from `run` after the current instruction. */
  requestStop(): void;
  /**
   * Exactly one instruction on one processor; interrupts are taken as they come and count as none. Of several processors
   * the others go on as they would: stops of theirs are reported, and `requested` that this one has had no turn yet.
   */
  step(cpu: number): Stop;

  /** Each call replaces the former set. */
  setBreakpoints(specs: readonly BreakpointSpec[]): void;
  setWatchpoints(specs: readonly WatchpointSpec[]): void;
  setTrapFilters(filters: readonly TrapFilter[]): void;
  /** Triple faults always stop. */

  /** Bytes that the guest sent to its first serial port. */
  onConsole?: (bytes: Uint8Array) => void;
  /** Typed on the console: an outside event, stamped with the instruction count. */
  typeConsole(bytes: Uint8Array): void;
  /** Said once each: what a guest asked for and we lack. */
  onUnsupported?: (what: string) => void;
  /** A line of the log that a BIOS writes to port 402h. */
  onFirmwareLog?: (line: string) => void;
  /** On the PS/2 keyboard: the keys of a US layout that type the text, or one key by KeyboardEvent.code (false: no such key). */
  typeKeyboard(text: string): void;
  key(name: string, down: boolean): boolean;
  /** What the VGA shows in text mode. */
  screen(): Screen;

  /** Registers, devices and memory, as 16 hexadecimal digits; equal for equal runs. */
  stateHash(): string;
  save(): unknown;
  restore(saved: unknown): void;
}
