/** System calls of programs that come through the hypervisor (callback.h), by width, mode and processor; and what comes of them without a callback. */
import assert from 'node:assert/strict';
import { codeSegment, stackSegment } from '../../../../emulator/hypervisor/xen/bounce';
import { FLAT } from '../../../../emulator/hypervisor/xen/abi';
import type { CallbackName } from '../../../../emulator/hypervisor/xen/vcpu';
import { TYPE } from '../../../../emulator/hypervisor/xen/typed-pages';
import { GPR, SEG } from '../../../../emulator/x86/registers';
import { pvGuests } from './pv-guest';
import type { PvGuest, Word } from './pv-guest';

const SYSCALL = [0x0f, 0x05];
const SYSENTER = [0x0f, 0x34];
const INVALID = 6;
const PROTECTION = 13;
const [HANDLER, PROGRAM, KERNEL_STACK, USER_STACK] = [2, 3, 5, 6];
const TABLES = [10, 11, 12] as const;
const [R11, IF] = [11, 0x200n];
const CALLBACK_OP = 30;
const TYPE_OF: Partial<Record<CallbackName, number>> = { syscall: 2, sysenter: 5, syscall32: 7 };

type What = 'where it goes on' | 'the instruction' | 'nothing';
interface Row {
  what: string;
  word: Word;
  cpu?: string;
  code: readonly number[];
  /** The program's code segment. */
  cs: number;
  registered?: CallbackName;
  /** Where it arrives; a vector: in that handler of the trap table. */
  to: CallbackName | number;
  /** What the frame says of RIP, CS and RSP. */
  rip: What;
  shown: number;
  stackKnown?: boolean;
}
const wide = FLAT[8];
const narrow = FLAT[4];
const ROWS: readonly Row[] = [
  { what: '64-bit SYSCALL', word: 8, code: SYSCALL, cs: wide.userCs, registered: 'syscall', to: 'syscall', rip: 'where it goes on', shown: wide.userCs, stackKnown: true },
  { what: '64-bit SYSCALL, nobody registered', word: 8, code: SYSCALL, cs: wide.userCs, to: INVALID, rip: 'the instruction', shown: wide.userCs, stackKnown: true },
  { what: '32-bit SYSCALL on AMD', word: 8, cpu: 'epyc', code: SYSCALL, cs: wide.userCs32, registered: 'syscall32', to: 'syscall32', rip: 'where it goes on', shown: wide.userCs32, stackKnown: true },
  { what: '32-bit SYSCALL on AMD, only the 64-bit callback registered', word: 8, cpu: 'epyc', code: SYSCALL, cs: wide.userCs32, registered: 'syscall', to: INVALID, rip: 'the instruction', shown: wide.userCs32, stackKnown: true },
  { what: '32-bit SYSCALL on Intel', word: 8, code: SYSCALL, cs: wide.userCs32, registered: 'syscall32', to: INVALID, rip: 'the instruction', shown: wide.userCs32, stackKnown: true },
  { what: '32-bit SYSENTER', word: 8, code: SYSENTER, cs: wide.userCs32, registered: 'sysenter', to: 'sysenter', rip: 'nothing', shown: 3 },
  { what: '64-bit SYSENTER', word: 8, code: SYSENTER, cs: wide.userCs, registered: 'sysenter', to: 'sysenter', rip: 'nothing', shown: 3 },
  { what: '32-bit SYSENTER, nobody registered', word: 8, code: SYSENTER, cs: wide.userCs32, to: PROTECTION, rip: 'the instruction', shown: wide.userCs32, stackKnown: true },
  { what: 'SYSENTER under a 32-bit kernel', word: 4, code: SYSENTER, cs: narrow.userCs, registered: 'sysenter', to: 'sysenter', rip: 'nothing', shown: 3 },
  { what: 'SYSENTER under a 32-bit kernel, nobody registered', word: 4, code: SYSENTER, cs: narrow.userCs, to: PROTECTION, rip: 'the instruction', shown: narrow.userCs, stackKnown: true },
  { what: 'SYSCALL under a 32-bit kernel on AMD', word: 4, cpu: 'epyc', code: SYSCALL, cs: narrow.userCs, registered: 'syscall32', to: 'syscall32', rip: 'where it goes on', shown: narrow.userCs, stackKnown: true },
  { what: 'SYSCALL under a 32-bit kernel on Intel', word: 4, code: SYSCALL, cs: narrow.userCs, registered: 'syscall32', to: INVALID, rip: 'the instruction', shown: narrow.userCs, stackKnown: true },
]; // prettier-ignore

/** Where 32-bit code of a 64-bit guest can run: the program's page, a second time. Returns its address there. */
function mapLow({ domain, caller, call, scratch, frame }: PvGuest): bigint {
  const gva = 0x40_0000n;
  const update = (at: bigint, value: bigint): void => {
    caller.write64(scratch(0), at);
    caller.write64(scratch(0) + 8n, value);
    assert.equal(call(1, scratch(0), 1, 0, 0x7ff0).refusal, undefined);
  };
  const entry = (page: number): bigint => BigInt(frame(scratch(page))) << 12n;
  const chain = [PROGRAM, ...TABLES];
  TABLES.forEach((page, level) => {
    caller.write64(scratch(page) + ((gva >> BigInt(12 + 9 * level)) & 511n) * 8n, entry(chain[level]!) | 0x67n);
    assert.equal(call(14, scratch(page), entry(page) | 0x65n, 2).refusal, undefined);
  });
  update(BigInt(domain.vcpuStates[0]!.kernelRoot) << 12n, entry(TABLES[2]) | 0x67n);
  return gva;
}

function check({ word, cpu: model, code, cs, registered, to, rip, shown, stackKnown }: Row): void {
  const { guests, domains } = pvGuests([word], model === undefined ? {} : { cpu: model });
  const program = cs === wide.userCs32 && word === 8 ? mapLow(guests[0]!) : guests[0]!.scratch(PROGRAM);
  const [{ domain, caller, call, cpu, scratch, share }] = guests as [(typeof guests)[0]];
  const { state } = cpu;
  const [vcpu] = domain.vcpuStates as [(typeof domain.vcpuStates)[0]];
  // Every way into the kernel has a place of its own, at which it stays.
  const handler = (n: number): bigint => scratch(HANDLER) + BigInt(n * 16);
  for (let n = 0; n < 40; n++) caller.writeBytes(handler(n), Uint8Array.of(0xeb, 0xfe));
  const kernelCs = FLAT[word].kernelCs;
  vcpu.traps[INVALID] = { cs: kernelCs, address: handler(INVALID), dpl: 0, masks: false };
  vcpu.traps[PROTECTION] = { cs: kernelCs, address: handler(PROTECTION), dpl: 0, masks: false };
  if (registered) {
    const at = scratch(0);
    caller.write(at, 4, TYPE_OF[registered]!);
    if (word === 8) caller.write64(at + 8n, handler(32 + TYPE_OF[registered]!));
    else [kernelCs, Number(handler(32 + TYPE_OF[registered]!) & 0xffff_ffffn)].forEach((value, i) => caller.write(at + 4n + BigInt(i * 4), 4, value));
    assert.equal(call(CALLBACK_OP, 0, at).result, 0n);
  }
  vcpu.kernelSp = scratch(KERNEL_STACK);
  caller.writeBytes(scratch(PROGRAM), Uint8Array.from(code));
  if (word === 8) {
    domain.pages.getAs(vcpu.kernelRoot, TYPE.l4);
    vcpu.userRoot = vcpu.kernelRoot;
    vcpu.inKernel = false;
  }
  for (const page of [PROGRAM, USER_STACK]) share(scratch(page));
  state.setSegment(SEG.CS, codeSegment(cpu, cs, 3));
  state.setSegment(SEG.SS, stackSegment(cpu, FLAT[word].userSs, 3));
  const sp = scratch(USER_STACK);
  state.setGpr(GPR.RSP, sp);
  state.setGpr(R11, 11n);
  state.rip = program;
  cpu.modeChanged();
  domains.run(3);
  const address = (gva: bigint): bigint => BigInt.asUintN(word * 8, gva);
  const expected = typeof to === 'number' ? to : 32 + TYPE_OF[to]!;
  assert.equal(state.rip, address(handler(expected)), `RIP is 0x${state.rip.toString(16)}`);
  assert.equal(state.cpl, FLAT[word].kernelCs & 3);
  const words = Array.from({ length: 8 }, (_, i) => caller.readWord(state.gpr(GPR.RSP) + BigInt(i * word)));
  // RCX and R11 on top in 64-bit kernels, then the error code of #GP.
  const [ip, frameCs, flags, frameSp, ss] = words.slice((word === 8 ? 2 : 0) + (to === PROTECTION ? 1 : 0));
  const places = { 'where it goes on': program + 2n, 'the instruction': program, nothing: 0n };
  assert.equal(ip, address(places[rip]));
  assert.equal(frameCs! & 0xffffn, BigInt(shown));
  assert.equal(flags! & IF, 0n, 'event delivery was off');
  assert.equal(frameSp, stackKnown ? address(sp) : 0n);
  assert.equal(ss, BigInt(FLAT[word].userSs));
  if (rip === 'where it goes on' && word === 8) assert.equal(words[0], places[rip], 'RCX');
} // prettier-ignore

describe('system calls of programs', () => {
  for (const row of ROWS) it(row.what, () => check(row));
});
