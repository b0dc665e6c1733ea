/** A paravirtualised domain whose kernel does nothing, and hypercalls made for it: what the ABI does with arguments of any kind. */
import assert from 'node:assert/strict';
import { invoke } from '../../../../emulator/hypervisor/hypercalls/invoke';
import type { Outcome } from '../../../../emulator/hypervisor/hypercalls/invoke';
import type { PvDomain } from '../../../../emulator/hypervisor/xen/domain';
import { PvCaller } from '../../../../emulator/hypervisor/xen/caller';
import type { DomainParts } from '../../../../emulator/hypervisor/xen/parts';
import type { Cpu } from '../../../../emulator/cpu/cpu';
import { Domains } from '../../../../emulator/machine/domains';
import type { Pc } from '../../../../emulator/machine/machine';

export type Word = 4 | 8;
const MIB = 0x10_0000;
const PAGE = 4096;
export const BASE = { 8: 0xffff_ffff_8000_0000n, 4: 0xc000_0000n } as const;

const align4 = (n: number): number => (n + 3) & ~3;
function note(type: number, description: Uint8Array): Uint8Array {
  const out = new Uint8Array(16 + align4(description.length));
  const view = new DataView(out.buffer);
  view.setUint32(0, 4, true);
  view.setUint32(4, description.length, true);
  view.setUint32(8, type, true);
  out.set(new TextEncoder().encode('Xen\0'), 12);
  out.set(description, 16);
  return out;
}
const bytesOf = (value: bigint, bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => Number((value >> BigInt(i * 8)) & 255n));
const text = (value: string): Uint8Array => new TextEncoder().encode(`${value}\0`);

/** An ELF file of this code at BASE, entered at its first byte, hypercall page in its second page, and `pages` in all. */
export function kernel(word: Word, code: readonly number[], pages = 64): Uint8Array {
  const base = BASE[word];
  const notes = [
    note(5, text('xen-3.0')),
    note(3, bytesOf(base, word)),
    note(1, bytesOf(base, word)),
    note(2, bytesOf(base + BigInt(PAGE), word)),
    note(9, text('yes')),
  ];
  const noteBytes = notes.reduce((sum, each) => sum + each.length, 0);
  const file = new Uint8Array(0x2000 + noteBytes);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, word === 8 ? 2 : 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, word === 8 ? 62 : 3, true);
  view.setUint32(20, 1, true);
  const wide = (at: number, value: bigint): void =>
    word === 8 ? view.setBigUint64(at, BigInt.asUintN(64, value), true) : view.setUint32(at, Number(value), true);
  wide(24, base);
  wide(24 + word, 64n);
  const tail = word === 8 ? 52 : 40;
  view.setUint16(tail, word === 8 ? 64 : 52, true);
  view.setUint16(tail + 2, word === 8 ? 56 : 32, true);
  view.setUint16(tail + 4, 2, true);
  const segment = (at: number, type: number, offset: number, address: bigint, size: number, memory: number): void => {
    view.setUint32(at, type, true);
    if (word === 8) {
      view.setUint32(at + 4, 7, true);
      [BigInt(offset), address + base, address, BigInt(size), BigInt(memory), 0x1000n].forEach((value, i) =>
        wide(at + 8 + i * 8, value),
      );
    } else {
      [BigInt(offset), address + base, address, BigInt(size), BigInt(memory), 7n, 0x1000n].forEach((value, i) =>
        wide(at + 4 + i * 4, value),
      );
    }
  };
  segment(64, 1, 0x1000, 0n, 0x1000, pages * PAGE);
  segment(64 + (word === 8 ? 56 : 32), 4, 0x2000, 0n, noteBytes, noteBytes);
  file.set(code, 0x1000);
  notes.reduce((at, each) => (file.set(each, at), at + each.length), 0x2000);
  return file;
}

/** jmp $ */
const IDLE = [0xeb, 0xfe];

export interface PvGuest {
  machine: Pc;
  parts: DomainParts;
  domain: PvDomain;
  cpu: Cpu;
  caller: PvCaller;
  /** gva of a page of the kernel's that nothing uses; `page` from 0. */
  scratch(page: number): bigint;
  call(number: number, ...args: (bigint | number)[]): Outcome;
  /** Frame behind a page of the kernel's. */
  frame(gva: bigint): number;
  /** A page of the kernel's is its programs', too: in 32-bit guests page tables say whose a page is. */
  share(gva: bigint): void;
}

/** Several on one host. */
export function pvGuests(words: readonly Word[], { code = IDLE, firstId, spare, cpu }: { code?: readonly number[]; firstId?: number; spare?: readonly { memory: number; cpus: number }[]; cpu?: string } = {}): { domains: Domains; guests: PvGuest[] } {
  const configs = words.map((_, i) => ({ name: `d${i}`, memory: 8 * MIB, cpus: 1, technique: 'paravirtual' as const, ...(cpu === undefined ? {} : { cpu }) }));
  const domains = new Domains(configs, { ...(firstId === undefined ? {} : { firstId }), ...(spare ? { spare } : {}) });
  const guests = words.map((word, i) => {
    const { id, machine } = domains.all[i];
    domains.boot(id, { name: 'kernel', kernel: kernel(word, code) });
    return guestOf(machine as Pc, word);
  });
  return { domains, guests };
} // prettier-ignore

export function guestOf(machine: Pc, word: Word): PvGuest {
  const { parts } = (machine as unknown as { paravirtual: { engine: { parts: DomainParts } } }).paravirtual.engine;
  const { domain } = parts;
  const [cpu] = machine.cpus;
  const caller = new PvCaller(domain, cpu);
  const call = (number: number, ...args: (bigint | number)[]): Outcome => {
    const list = Array.from({ length: 6 }, (_, i) => BigInt.asUintN(word * 8, BigInt(args[i] ?? 0)));
    return invoke(number, { caller, domain, parts, cpu, vcpu: domain.vcpuStates[0], args: list });
  };
  const frame = (gva: bigint): number => {
    const { mfn, offset } = domain.entryFor(gva);
    return Number((domain.memory.read64(mfn, offset) >> 12n) & 0xff_ffffn);
  };
  const share = (gva: bigint): void => {
    if (word === 8) return;
    const l2 = domain.memory.read64(domain.vcpuStates[0].kernelRoot, Number((gva >> 30n) & 3n) * 8) & 0xff_ffff_f000n;
    const { mfn, offset } = domain.entryFor(gva);
    for (const at of [l2 + ((gva >> 21n) & 511n) * 8n, (BigInt(mfn) << 12n) + BigInt(offset)]) {
      const entry = domain.memory.read64(Number(at >> 12n), Number(at & 0xfffn));
      caller.write64(scratch(0), at);
      caller.write64(scratch(0) + 8n, entry | 4n);
      assert.equal(call(1, scratch(0), 1, 0, 0x7ff0).result, 0n);
    }
  };
  const scratch = (page: number): bigint => BASE[word] + BigInt((8 + page) * PAGE);
  return { machine, parts, domain, cpu, caller, scratch, call, frame, share };
}
