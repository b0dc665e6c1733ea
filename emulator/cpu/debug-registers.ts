/**
 * DR0 to DR7, and the traps that they and RFLAGS.TF cause (SDM vol. 3B 17.2 and 17.3).
 * The run loop asks: `armed()` before choosing to run in blocks; `checkInstruction` before an instruction;
 * `afterInstruction` after it. Data breakpoints come by the MMU's watch list, which keeps their pages out of the TLB.
 */
import { SYSTEM_ADDRESS } from '../execution/layout';
import { CR4, DEBUGCTL, RFLAGS, SEG, VECTOR } from '../x86/registers';
import type { PendingEvent } from './exit-cause';
import { gp, ud } from './faults';
import { GuestFault } from './ports';
import type { Cpu } from './cpu';

export const DR6 = { B: 15, BD: 1 << 13, BS: 1 << 14, BT: 1 << 15 } as const;
const DR6_FIXED = 0xffff_0ff0n;
const DR6_WRITABLE = 0xe00fn;
const DR7_FIXED = 0x400n;
const DR7_WRITABLE = 0xffff_23ffn;
const DR7_GD = 1n << 13n;
const { debugctl: DEBUGCTL_AT } = SYSTEM_ADDRESS;
const NAMES = ['dr0', 'dr1', 'dr2', 'dr3'] as const;
const KIND = { execute: 0, write: 1, io: 2, readWrite: 3 } as const;

interface Breakpoint {
  index: number;
  address: bigint;
  kind: number;
  bytes: number;
}

export class DebugRegisters {
  private instructions: Breakpoint[] = [];
  private ports: Breakpoint[] = [];
  private data = 0;
  /** The value of DR7 that is in force. */
  private inForce = 0n;

  constructor(private readonly cpu: Cpu) {}

  read(index: number): bigint {
    const { state } = this.cpu;
    const register = this.resolve(index);
    return state.system(`dr${register}` as 'dr0');
  }
  write(index: number, value: bigint): void {
    const { state } = this.cpu;
    const register = this.resolve(index);
    if (register >= 6) {
      if (value >> 32n) throw gp(0);
      value = register === 6 ? (value & DR6_WRITABLE) | DR6_FIXED : (value & DR7_WRITABLE) | DR7_FIXED;
    }
    state.setSystem(`dr${register}` as 'dr0', value);
    this.update();
  }
  /** DR4 and DR5 mean DR6 and DR7 unless CR4.DE; any access is trapped while DR7.GD is set. */
  private resolve(index: number): number {
    const { state } = this.cpu;
    if (index > 7) throw ud();
    if (index === 4 || index === 5) {
      if (state.system32('cr4') & CR4.DE) throw ud();
      index += 2;
    }
    if (state.system('dr7') & DR7_GD) throw new GuestFault(VECTOR.DB, undefined, undefined, false, DR6.BD);
    return index;
  }

  /** The registers are another processor's now. */
  loaded(): void {
    if ((this.inForce | this.cpu.state.system('dr7')) & 0xffn) this.update();
  }
  /** Some instruction is watched for being executed. */
  get watchesCode(): boolean {
    return this.instructions.length > 0;
  }
  /** After any change of the registers, also by a task switch or a restored snapshot. */
  update(): void {
    const { state, mmu } = this.cpu;
    this.inForce = state.system('dr7');
    const dr7 = state.system32('dr7');
    const enabled: Breakpoint[] = [];
    for (let index = 0; index < 4; index++) {
      if (!((dr7 >> (index * 2)) & 3)) continue;
      const control = (dr7 >>> (16 + index * 4)) & 15;
      const bytes = [1, 2, 8, 4][control >> 2];
      // The address is taken to be aligned to the length (SDM vol. 3B 17.2.5).
      const address = state.system(NAMES[index]) & ~BigInt(bytes - 1);
      enabled.push({ index, address, kind: control & 3, bytes });
    }
    const of = (...kinds: number[]): Breakpoint[] => enabled.filter((b) => kinds.includes(b.kind));
    this.instructions = of(KIND.execute);
    this.ports = of(KIND.io);
    const data = of(KIND.write, KIND.readWrite);
    if (data.length === 0 && this.data === 0) return;
    this.data = data.length;
    mmu.watches.set(
      'debug-registers',
      data.map((b) => ({
        gva: b.address,
        bytes: b.bytes,
        read: b.kind === KIND.readWrite,
        write: true,
        hit: () => this.pend(1 << b.index),
      })),
    );
    mmu.tlbs.flush();
  }
  private pend(bits: number): void {
    const { state } = this.cpu;
    state.setSystem('pending_debug', state.system('pending_debug') | BigInt(bits));
  }

  /** Something may trap between two instructions: the run loop must go one at a time. */
  armed(): boolean {
    return this.instructions.length > 0 || this.data > 0 || this.ports.length > 0;
  }
  /** The #DB due before the instruction at CS:RIP, if any. RFLAGS.RF holds it back. */
  checkInstruction(): GuestFault | undefined {
    if (this.instructions.length === 0) return undefined;
    const { state } = this.cpu;
    if (state.systemFlags & RFLAGS.RF) return undefined;
    const base = this.cpu.long ? 0n : state.segmentBase(SEG.CS);
    const gva = this.cpu.long ? state.rip : BigInt.asUintN(32, base + state.rip);
    let bits = 0;
    for (const b of this.instructions) if (b.address === gva) bits |= 1 << b.index;
    return bits ? new GuestFault(VECTOR.DB, undefined, undefined, false, bits) : undefined;
  }
  /** I/O breakpoints need CR4.DE. */
  touchPort(port: number, bytes: number): void {
    if (this.ports.length === 0 || !(this.cpu.state.system32('cr4') & CR4.DE)) return;
    for (const b of this.ports)
      if (BigInt(port) < b.address + BigInt(b.bytes) && b.address < BigInt(port + bytes)) this.pend(1 << b.index);
  }
  /**
   * The #DB due after an instruction that has retired. `trapFlag`, `resumeFlag`: TF and RF were set when it began; RF
   * lasts for one instruction. MOV SS holds data breakpoints back by one instruction and swallows the single step
   * (SDM vol. 3A 6.8.3).
   */
  afterInstruction(trapFlag: boolean, resumeFlag: boolean): GuestFault | undefined {
    const { state } = this.cpu;
    if (resumeFlag) state.systemFlags &= ~RFLAGS.RF;
    const pending = Number(state.system('pending_debug'));
    if (state.system('interruptibility') & 2n || (!pending && !trapFlag)) return undefined;
    state.setSystem('pending_debug', 0n);
    return new GuestFault(VECTOR.DB, undefined, undefined, true, pending | (trapFlag ? DR6.BS : 0));
  }
  /**
   * A debug exception is on its way to its handler, which may use debug registers freely (17.2.4): DR6 tells why, and recording and
   * stepping of branches are off (17.4.1, 17.4.3). One that leaves for a hypervisor has changed nothing (vol. 3C 28.1).
   */
  raised({ conditions, kind }: PendingEvent): void {
    const { state } = this.cpu;
    if (conditions !== undefined) state.setSystem('dr6', (state.system('dr6') & ~BigInt(DR6.B)) | BigInt(conditions));
    else if (kind !== 'int1') return;
    state.setSystem('debugctl', state.system('debugctl') & ~BigInt(DEBUGCTL.LBR | DEBUGCTL.BTF));
    state.setSystem('dr7', state.system('dr7') & ~DR7_GD);
  }
  /** Single steps go from branch to branch (17.4.3). */
  get stepsBranches(): boolean {
    return (this.cpu.state.word(DEBUGCTL_AT) & DEBUGCTL.BTF) !== 0;
  }
}
