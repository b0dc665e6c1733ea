/** A virtual processor that makes a hypercall, and its memory as it sees it: nothing of the hypervisor's is read or written for it. */
import type { Cpu } from '../../cpu/cpu';
import { Interruption } from '../../cpu/ports';
import { CONTEXT } from '../../execution/layout';
import type { Context } from '../../execution/layout';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import type { PvDomain } from './domain';
import { refuse } from './errno';
import type { Caller } from './ports';
import { inReserved } from './reserved-space';

/** More is never copied at once. */
const MOST_BYTES = 0x10_0000;

export class PvCaller implements Caller {
  private readonly context: Context;

  constructor(
    readonly domain: PvDomain,
    readonly cpu: Cpu,
  ) {
    this.context = domain.word === 8 ? CONTEXT.user : CONTEXT.supervisor;
  }
  get vcpu(): number {
    return this.cpu.apicId;
  }

  private at(gva: bigint, bytes: number): bigint {
    const { word } = this.domain;
    const at = BigInt.asUintN(word * 8, gva);
    if (inReserved(word, at, bytes)) this.fault(gva, 'lies in the hypervisor');
    return at;
  }
  private fault(gva: bigint, why: string): never {
    refuse('EFAULT', `the argument at gv:0x${BigInt.asUintN(64, gva).toString(16)} ${why}`);
  }
  private access<T>(gva: bigint, bytes: number, act: (at: bigint) => T): T {
    const at = this.at(gva, bytes);
    try {
      return act(at);
    } catch (fault) {
      if (!(fault instanceof Interruption)) throw fault;
      return this.fault(gva, 'cannot be accessed');
    }
  }

  read(gva: bigint, bytes: 1 | 2 | 4): number {
    return Number(this.access(gva, bytes, (at) => this.cpu.mmu.read(at, bytes, this.context)));
  }
  read64(gva: bigint): bigint {
    return this.access(gva, 8, (at) => this.cpu.mmu.read(at, 8, this.context));
  }
  /** An `unsigned long` of the guest's. */
  readWord(gva: bigint): bigint {
    return this.domain.word === 8 ? this.read64(gva) : BigInt(this.read(gva, 4));
  }
  write(gva: bigint, bytes: 1 | 2 | 4, value: number): void {
    this.access(gva, bytes, (at) => this.cpu.mmu.write(at, bytes, BigInt(value >>> 0), this.context));
  }
  write64(gva: bigint, value: bigint): void {
    this.access(gva, 8, (at) => this.cpu.mmu.write(at, 8, BigInt.asUintN(64, value), this.context));
  }
  writeWord(gva: bigint, value: bigint): void {
    if (this.domain.word === 8) this.write64(gva, value);
    else this.write(gva, 4, Number(value & 0xffff_ffffn));
  }
  readBytes(gva: bigint, bytes: number): Uint8Array {
    if (bytes > MOST_BYTES) refuse('E2BIG', `${bytes} bytes at once are more than ${MOST_BYTES}`);
    const out = new Uint8Array(bytes);
    this.eachPage(gva, bytes, (at, done, length) => {
      for (let i = 0; i < length; i++) out[done + i] = Number(this.cpu.mmu.read(at + BigInt(i), 1, this.context));
    });
    return out;
  }
  writeBytes(gva: bigint, data: Uint8Array): void {
    // Nothing is written before all of it can be.
    this.eachPage(gva, data.length, (at, _, length) => this.cpu.mmu.probe(at, length, true, this.context));
    this.eachPage(gva, data.length, (at, done, length) => {
      for (let i = 0; i < length; i++) this.cpu.mmu.write(at + BigInt(i), 1, BigInt(data[done + i]), this.context);
    });
  }
  private eachPage(gva: bigint, bytes: number, act: (at: bigint, done: number, length: number) => void): void {
    this.access(gva, bytes, (first) => {
      for (let done = 0; done < bytes;) {
        const at = first + BigInt(done);
        const length = Math.min(bytes - done, PAGE_BYTES - Number(at & 0xfffn));
        act(at, done, length);
        done += length;
      }
    });
  }
}
