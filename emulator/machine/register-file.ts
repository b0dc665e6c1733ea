/** Registers by name, as people and debuggers write them (api.ts, RegisterFile). */
import type { Cpu } from '../cpu/cpu';
import * as layout from '../execution/layout';
import { GPR_NAMES, RFLAGS, SEG_NAMES } from '../x86/registers';
import { gprName } from '../isa/format';
import type { OperandSize } from '../isa/instruction';
import type { RegisterFile } from './api';

interface Register {
  get(cpu: Cpu): bigint;
  set?(cpu: Cpu, value: bigint): void;
}

const registers = new Map<string, Register>();

const partial = (index: number, size: OperandSize): Register => {
  const at = index < 16 ? layout.GPRS + index * 8 : layout.GPRS + (index - 16) * 8 + 1;
  return {
    get: ({ state }) =>
      size === 64
        ? state.gpr(index)
        : BigInt(size === 32 ? state.view.getUint32(at, true) : size === 16 ? state.view.getUint16(at, true) : state.view.getUint8(at)),
    set: ({ state }, value) => {
      if (size === 64) state.setGpr(index, value);
      else if (size === 32) state.setGpr(index, BigInt.asUintN(32, value));
      else if (size === 16) state.view.setUint16(at, Number(value & 0xffffn), true);
      else state.view.setUint8(at, Number(value & 0xffn));
    },
  };
}; // prettier-ignore
for (let i = 0; i < 16; i++)
  for (const size of [64, 32, 16, 8] as const) registers.set(gprName(i, size), partial(i, size));
for (let i = 16; i < 20; i++) registers.set(gprName(i, 8), partial(i, 8));

registers.set('rip', { get: ({ state }) => state.rip, set: ({ state }, value) => (state.rip = value) });
registers.set('eip', { get: ({ state }) => state.rip & 0xffff_ffffn });
const rflags: Register = {
  get: ({ state }) => BigInt(state.rflags),
  set: ({ state }, value) => (state.rflags = Number(value & 0x3f_ffffn)),
};
registers.set('rflags', rflags).set('eflags', rflags);

const FLAGS = Object.entries(RFLAGS).filter(([name]) => name !== 'FIXED');
for (const [name, mask] of FLAGS) {
  const shift = 31 - Math.clz32(mask & -mask);
  registers.set(name.toLowerCase(), {
    get: ({ state }) => BigInt((state.rflags & mask) >>> shift),
    set: ({ state }, value) =>
      (state.rflags = (state.rflags & ~mask) | (Number(value & BigInt(mask >>> shift)) << shift)),
  });
}

SEG_NAMES.forEach((name, i) => {
  registers.set(name, {
    get: ({ state }) => BigInt(state.selector(i)),
    // The selector alone: the hidden part has names of its own.
    set: ({ state }, value) => state.setSegment(i, { ...state.segment(i), selector: Number(value & 0xffffn) }),
  });
  registers.set(`${name}.base`, {
    get: ({ state }) => state.segmentBase(i),
    set: ({ state }, value) => state.setSegmentBase(i, value),
  });
  for (const part of ['limit', 'attributes'] as const)
    registers.set(`${name}.${part}`, {
      get: ({ state }) => BigInt(state.segment(i)[part]),
      set: ({ state }, value) => state.setSegment(i, { ...state.segment(i), [part]: Number(value & 0xffff_ffffn) }),
    });
});

for (const name of layout.SYSTEM_REGISTERS)
  registers.set(name, {
    get: ({ state }) => state.system(name),
    set: ({ state }, value) => state.setSystem(name, value),
  });
registers.set('cr8', {
  get: (cpu) => BigInt(cpu.interrupts.getTpr()),
  set: (cpu, value) => cpu.interrupts.setTpr(Number(value & 15n)),
});

const word = (at: number, bytes: 2 | 4): Register => ({
  get: ({ state }) => BigInt(bytes === 2 ? state.view.getUint16(at, true) : state.view.getUint32(at, true)),
  set: ({ state }, value) => {
    if (bytes === 2) state.view.setUint16(at, Number(value & 0xffffn), true);
    else state.view.setUint32(at, Number(value & 0xffff_ffffn), true);
  },
});
registers.set('mxcsr', word(layout.MXCSR, 4));
registers.set('fcw', word(layout.X87_CONTROL, 2)).set('fsw', word(layout.X87_STATUS, 2));
for (let i = 0; i < 16; i++)
  registers.set(`xmm${i}`, {
    get: ({ state }) => state.vector(i),
    set: ({ state }, value) => state.setVector(i, BigInt.asUintN(128, value)),
  });
/** st0 is the top of the stack: the physical register that TOP names (SDM vol. 1 section 8.1.2). */
const stAddress = ({ state }: Cpu, i: number): number =>
  layout.X87 + (((state.view.getUint16(layout.X87_STATUS, true) >> 11) + i) & 7) * 16;
for (let i = 0; i < 8; i++)
  registers.set(`st${i}`, {
    get: (cpu) => {
      const at = stAddress(cpu, i);
      const { view } = cpu.state;
      return (BigInt(view.getUint16(at + 8, true)) << 64n) | view.getBigUint64(at, true);
    },
    set: (cpu, value) => {
      const at = stAddress(cpu, i);
      cpu.state.view.setBigUint64(at, BigInt.asUintN(64, value), true);
      cpu.state.view.setUint16(at + 8, Number((value >> 64n) & 0xffffn), true);
    },
  });

const numbered = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${name}${i}`);
const CONTROL = ['cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer'];
const DEBUG = ['dr0', 'dr1', 'dr2', 'dr3', 'dr6', 'dr7'];
const TABLES = ['gdtr.base', 'gdtr.limit', 'idtr.base', 'idtr.limit'];
const GROUPS: RegisterFile['groups'] = {
  general: [...GPR_NAMES, 'rip', 'rflags'],
  segment: [...SEG_NAMES, ...TABLES],
  control: CONTROL,
  debug: DEBUG,
  flags: FLAGS.map(([name]) => name.toLowerCase()),
  x87: [...numbered('st', 8), 'fcw', 'fsw'],
  vector: [...numbered('xmm', 16), 'mxcsr'],
  system: layout.SYSTEM_REGISTERS.filter((name) => ![...CONTROL, ...DEBUG, ...TABLES].includes(name)),
};

export const registerFile = (cpu: Cpu, changed: () => void): RegisterFile => ({
  groups: GROUPS,
  get: (name) => registers.get(name.toLowerCase())?.get(cpu),
  set: (name, value) => {
    const register = registers.get(name.toLowerCase());
    if (!register?.set) return false;
    register.set(cpu, value);
    changed();
    return true;
  },
});
