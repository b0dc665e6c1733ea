/**
 * Paravirtualisation by Xen's ABI: the guest's kernel knows that it is none of ring 0. It runs in ring 1 (32-bit) or 3 (64-bit) on
 * page tables of its own, which hold machine frames and which every update keeps valid, so that nothing is shadowed; it asks
 * for what it may not do by hypercall. The virtual processor is the physical one: what it holds is what the guest knows to be there.
 */
import type { Cpu } from '../../cpu/cpu';
import { describe } from '../../cpu/events';
import type { Delivery } from '../../cpu/events';
import type { PendingEvent } from '../../cpu/exit-cause';
import { GuestExit, GuestFault, Interruption } from '../../cpu/ports';
import type { Overseer } from '../../cpu/ports';
import type { Executor } from '../../cpu/step-host';
import { longStretch } from '../../cpu/stretch';
import { somethingWaits } from '../../cpu/turns';
import type { Instruction } from '../../isa/instruction';
import type { Stop } from '../../machine/api';
import { assert } from '../../util/assert';
import { GPR, PF, VECTOR, WITH_ERROR } from '../../x86/registers';
import { instructionAt } from '../describe';
import type { Hypercall, VmExit } from '../exit';
import type { Guest } from '../guest';
import type { Host } from '../host';
import { batchDone, decodeHypercall, namedCall } from '../hypercalls/decode';
import { invoke } from '../hypercalls/invoke';
import type { EngineView, Viewed } from '../inspect/engine-view';
import { bounce, DomainCrash } from '../xen/bounce';
import { PvCaller } from '../xen/caller';
import { emulate, guestCpuid } from '../xen/emulate';
import { DIRECT_VECTOR } from '../xen/parts';
import type { DomainParts } from '../xen/parts';
import type { FramePlace } from '../xen/ports';
import { enterSystemCall, startsWith, systemCallOf } from '../xen/system-calls';
import type { SystemCall } from '../xen/system-calls';
import { tableEntryAt, writeTable } from '../xen/writable-tables';
import { paravirtualExit } from './paravirtual-exit';

/** The gate of hypercalls in 32-bit guests. */
export const HYPERCALL_VECTOR = 0x82;
const INT_BYTES = 2;
/** XEN_EMULATE_PREFIX (arch-x86/xen.h), CPUID: leaves whatever the processor can do. */
const FORCED_CPUID = [0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2];
/** Argument registers in order. */
const ARGUMENTS = {
  8: [GPR.RDI, GPR.RSI, GPR.RDX, 10, 8, 9],
  4: [GPR.RBX, GPR.RCX, GPR.RDX, GPR.RSI, GPR.RDI, GPR.RBP],
} as const;
/** Programs may use ports, where their kernel lets them; its kernel may execute more. */
const mayBeDone = ({ row: { attributes, mnemonic } }: Instruction, kernel: boolean): boolean =>
  attributes.io === true || mnemonic === 'cli' || mnemonic === 'sti' || (kernel && attributes.privileged === true);

/** What an exit is, before anything has been done for it. */
export type Occasion =
  | { kind: 'hypercall'; length: number }
  | { kind: 'system-call'; call: SystemCall; length?: number }
  | { kind: 'table-write'; at: FramePlace; fault: GuestFault }
  | { kind: 'privileged'; instruction: Instruction; fault: GuestFault }
  | { kind: 'cpuid'; length: number }
  | { kind: 'software'; event: PendingEvent }
  | { kind: 'fault'; fault: GuestFault };

export class Paravirtual implements Executor, Overseer, Viewed {
  readonly asks = true;
  /** RDTSC is the guest's to execute, as under Xen's tsc_mode "default" where time stamps are steady; CR4.TSD is as it wants it. */
  readonly sparesSpinning = true;
  /** The guest's own tables are in force: there are no others to show, but what its frames are in use as. */
  readonly view: EngineView = { paravirtual: () => this.parts };
  /** Of the guest that was started last. */
  parts?: DomainParts;

  constructor(
    private readonly host: Host,
    private readonly guest: Guest,
  ) {}

  private get running(): DomainParts {
    assert(this.parts, 'a paravirtualised domain runs what its builder has put into it');
    return this.parts;
  }

  // --- Executor

  run(cpu: Cpu, budget: number): Stop | undefined {
    const { generated } = this.host;
    this.running.domain.current = cpu.apicId;
    generated.switchTo(cpu);
    if (cpu.overseer !== this) cpu.oversee(this);
    try {
      longStretch(generated, cpu, budget, () => somethingWaits(cpu));
      return undefined;
    } catch (caught) {
      if (!(caught instanceof Interruption)) throw caught;
      generated.forgetLink();
      return this.handle(cpu, caught);
    }
  }
  reset(): void {
    // Nothing is derived from the guest's memory that is not state.
  }
  settle(): void {
    // Its registers are where they belong.
  }
  deliver(cpu: Cpu, event: PendingEvent, asked: boolean): Delivery {
    const parts = this.running;
    this.host.generated.switchTo(cpu);
    if (event.kind === 'interrupt' && !parts.wake(cpu.apicId)) {
      cpu.state.setSystem('activity', 0n);
      return 'delivered';
    }
    if (!asked && cpu.onEvent?.(describe(cpu, event))) {
      cpu.heldEvent = event;
      return 'held';
    }
    this.orCrash(() => this.enter(cpu, event));
    return 'delivered';
  }
  private orCrash(act: () => void): void {
    try {
      act();
    } catch (crash) {
      if (!(crash instanceof DomainCrash)) throw crash;
      this.running.crash(crash.reason);
    }
  }
  /** By the handler that the guest has registered. */
  private enter(cpu: Cpu, event: PendingEvent): void {
    const { domain } = this.running;
    if (event.vector === VECTOR.DB) cpu.debug.raised(event);
    const { kind, vector, errorCode, address, returnRip } = event;
    const { callbacks, traps } = domain.vcpuStates[cpu.apicId];
    const to = kind === 'interrupt' ? callbacks.event : traps[vector];
    if (!to)
      throw new DomainCrash(kind === 'interrupt' ? 'an event came and it has registered no callback' : `exception ${vector} at gv:0x${cpu.state.rip.toString(16)}${address === undefined ? '' : ` (address 0x${address.toString(16)})`}, and it has registered no handler`); // prettier-ignore
    const code = kind === 'fault' || kind === 'trap' ? errorCode : undefined;
    bounce(domain, cpu, {
      ...to,
      returnRip,
      ...(code === undefined && !(kind === 'fault' && WITH_ERROR.includes(vector)) ? {} : { errorCode: code ?? 0 }),
      ...(vector === VECTOR.PF && kind === 'fault' ? { cr2: address ?? 0n } : {}),
    });
  }

  // --- Exits

  private handle(cpu: Cpu, thrown: Interruption): Stop | undefined {
    const { exits } = this.guest;
    const occasion = this.occasionOf(cpu, thrown);
    const exit = paravirtualExit(this.guest, cpu, thrown, occasion);
    if (occasion.kind === 'hypercall') exit.hypercall = this.hypercallOf(cpu);
    if (exit.hypercall && exits.filter) Object.assign(exit.hypercall, this.decode(cpu, exit.hypercall));
    if (exits.begin(exit)) return { kind: 'vm-exit', cpu: cpu.apicId, exit };
    try {
      this.orCrash(() => this.act(cpu, occasion, exit));
      return undefined;
    } finally {
      exits.end();
    }
  }
  private occasionOf(cpu: Cpu, thrown: Interruption): Occasion {
    const parts = this.running;
    const kernel = parts.inKernel(cpu);
    if (thrown instanceof GuestExit) {
      const { cause, instruction } = thrown;
      if (cause.reason === 'cpuid' && instruction) return { kind: 'cpuid', length: instruction.length };
      assert(cause.reason === 'exception', `nothing asks for ${cause.reason}`);
      const { event } = cause;
      if (event.kind === 'fault') return { kind: 'fault', fault: new GuestFault(event.vector, event.errorCode, event.address) };
      if (event.kind === 'int' && event.vector === HYPERCALL_VECTOR && kernel && parts.domain.word === 4) return { kind: 'hypercall', length: INT_BYTES };
      return { kind: 'software', event };
    }
    const fault = thrown as GuestFault;
    const instruction = fault.vector === VECTOR.GP || fault.vector === VECTOR.UD ? instructionAt(this.host.generated, cpu) : undefined;
    const call = systemCallOf(parts.domain, cpu, fault, instruction);
    if (call === 'syscall' && kernel) return { kind: 'hypercall', length: instruction!.length };
    if (call && !kernel) return { kind: 'system-call', call, ...(instruction ? { length: instruction.length } : {}) };
    if (fault.vector === VECTOR.UD && startsWith(parts.domain, cpu, FORCED_CPUID)) return { kind: 'cpuid', length: FORCED_CPUID.length };
    if (fault.trap) return { kind: 'fault', fault };
    if (fault.vector === VECTOR.GP && instruction && mayBeDone(instruction, kernel)) return { kind: 'privileged', instruction, fault };
    if (kernel && fault.vector === VECTOR.PF && ((fault.errorCode ?? 0) & (PF.P | PF.W)) === (PF.P | PF.W)) {
      const at = tableEntryAt(parts.domain, fault.address ?? 0n);
      if (at) return { kind: 'table-write', at, fault };
    }
    return { kind: 'fault', fault };
  } // prettier-ignore
  private hypercallOf(cpu: Cpu): NonNullable<VmExit['hypercall']> {
    const { word } = this.running.domain;
    const number = cpu.state.gpr32(GPR.RAX);
    return namedCall(number, ARGUMENTS[word].map((gpr) => BigInt.asUintN(word * 8, cpu.state.gpr(gpr)))); // prettier-ignore
  }

  private decode(cpu: Cpu, call: Hypercall): ReturnType<typeof decodeHypercall> {
    return decodeHypercall(call, new PvCaller(this.running.domain, cpu));
  }

  private act(cpu: Cpu, occasion: Occasion, exit: VmExit): void {
    const { domain } = this.running;
    const { generated } = this.host;
    switch (occasion.kind) {
      case 'hypercall':
        return this.hypercall(cpu, occasion.length, exit);
      case 'system-call':
        enterSystemCall(domain, cpu, occasion.call, occasion.length);
        return void generated.retired++;
      case 'cpuid':
        this.cpuid(cpu);
        return this.retire(cpu, occasion.length);
      case 'software':
        if (this.mayRaise(cpu, occasion.event)) return void this.deliver(cpu, occasion.event, false);
        throw new GuestFault(VECTOR.GP, occasion.event.vector * 8 + 2);
      case 'table-write': {
        const write = (): string | undefined =>
          writeTable(domain, cpu, generated, occasion.at, occasion.fault.address ?? 0n, instructionAt(generated, cpu));
        const refusal = domain.history.during('a write to a page table', write);
        if (refusal === undefined) return;
        exit.refusal = refusal;
        throw occasion.fault;
      }
      case 'privileged':
        if (emulate(domain, cpu, occasion.instruction, exit.cause) === 'no') throw occasion.fault;
        return this.retire(cpu, occasion.instruction.length);
      case 'fault':
        throw occasion.fault;
    }
  }
  private retire({ state }: Cpu, bytes: number): void {
    state.rip = BigInt.asUintN(64, state.rip + BigInt(bytes));
    this.host.generated.retired++;
  }
  private mayRaise(cpu: Cpu, { vector, kind }: PendingEvent): boolean {
    const trap = this.running.domain.vcpuStates[cpu.apicId].traps[vector];
    return kind !== 'int' || this.running.inKernel(cpu) || (trap !== null && trap.dpl >= cpu.state.cpl);
  }

  private hypercall(cpu: Cpu, bytes: number, exit: VmExit): void {
    const parts = this.running;
    const { domain } = parts;
    const { state } = cpu;
    const { number, args } = exit.hypercall!;
    this.retire(cpu, bytes);
    const caller = new PvCaller(domain, cpu);
    const vcpu = domain.vcpuStates[cpu.apicId];
    parts.batch = [];
    const { result, refusal } = invoke(number, { caller, domain, parts, cpu, vcpu, args });
    if (result !== undefined) state.setGpr(GPR.RAX, BigInt.asUintN(domain.word * 8, result));
    Object.assign(exit.hypercall!, { result }, batchDone(parts.batch));
    if (refusal !== undefined) exit.refusal = refusal;
  }
  private cpuid({ state }: Cpu): void {
    const cpu = this.guest.cpus[this.running.domain.current];
    const values = guestCpuid(cpu, state.gpr32(GPR.RAX), state.gpr32(GPR.RCX));
    [GPR.RAX, GPR.RBX, GPR.RCX, GPR.RDX].forEach((gpr, i) => state.setGpr32(gpr, values[i]));
  }

  // --- Overseer

  get inPortedKernel(): boolean {
    return this.running.inKernel(this.guest.cpus[this.running.domain.current]);
  }

  /** The processor can make CPUID fault, which is all that a hypervisor needs here (CPUID faulting, SDM vol. 3A 2.5). */
  instruction(instruction: Instruction): undefined {
    if (instruction.row.mnemonic === 'cpuid') throw new GuestExit({ reason: 'cpuid' }, instruction);
  }
  event(event: PendingEvent): void {
    const { apicId, state } = this.guest.cpus[this.running.domain.current];
    // Its gate leads straight to the guest's kernel.
    if (event.kind === 'int' && event.vector === DIRECT_VECTOR && state.cpl === 3 && this.running.direct(apicId))
      return;
    throw new GuestExit({ reason: 'exception', event });
  }
  tripleFault(): void {
    assert(false, 'no event is delivered by the processor but system calls');
  }
  due(): undefined {
    return undefined;
  }
  leave(): void {
    assert(false, 'exits of a paravirtualised guest are caught where it is run');
  }
}
