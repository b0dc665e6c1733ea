/** Registers of the local APIC as the manual lays them out. No behaviour. Source: SDM vol. 3A tables 10-1 and 10-6. */

/** Offsets in the page; the x2APIC register number is 800h + offset / 16. */
export const APIC = {
  ID: 0x20, VERSION: 0x30, TPR: 0x80, APR: 0x90, PPR: 0xa0, EOI: 0xb0, LDR: 0xd0, DFR: 0xe0, SVR: 0xf0, ISR: 0x100,
  TMR: 0x180, IRR: 0x200, ESR: 0x280, ICR_LOW: 0x300, ICR_HIGH: 0x310, LVT_TIMER: 0x320, LVT_THERMAL: 0x330,
  LVT_PERF: 0x340, LVT_LINT0: 0x350, LVT_LINT1: 0x360, LVT_ERROR: 0x370, TIMER_INITIAL: 0x380, TIMER_CURRENT: 0x390,
  TIMER_DIVIDE: 0x3e0, SELF_IPI: 0x3f0,
} as const; // prettier-ignore

/** Integrated APIC, six local vectors, no suppression of EOI broadcasts (figure 10-7). */
export const APIC_VERSION = 0x0005_0014;

export const LVT = { MASK: 1 << 16, PERIODIC: 1, TSC_DEADLINE: 2 } as const;
/** Bits that software may write, by offset (figure 10-8). */
export const LVT_WRITABLE: Readonly<Record<number, number>> = {
  [APIC.LVT_TIMER]: 0x7_00ff,
  [APIC.LVT_THERMAL]: 0x1_07ff,
  [APIC.LVT_PERF]: 0x1_07ff,
  [APIC.LVT_LINT0]: 0x1_a7ff,
  [APIC.LVT_LINT1]: 0x1_a7ff,
  [APIC.LVT_ERROR]: 0x1_00ff,
};
/** The order in which they are saved. */
export const LVT_ORDER = [
  APIC.LVT_TIMER, APIC.LVT_THERMAL, APIC.LVT_PERF, APIC.LVT_LINT0, APIC.LVT_LINT1, APIC.LVT_ERROR,
] as const; // prettier-ignore

/** Of the same, for people. */
export const LVT_NAMES: Readonly<Record<(typeof LVT_ORDER)[number], string>> = {
  [APIC.LVT_TIMER]: 'lvt.timer',
  [APIC.LVT_THERMAL]: 'lvt.thermal',
  [APIC.LVT_PERF]: 'lvt.perf',
  [APIC.LVT_LINT0]: 'lvt.lint0',
  [APIC.LVT_LINT1]: 'lvt.lint1',
  [APIC.LVT_ERROR]: 'lvt.error',
};

export const SVR_ENABLE = 0x100;
export const SVR_WRITABLE = 0x3ff;
/** Error status (figure 10-9). */
export const ESR_BITS = { SEND_VECTOR: 0x20, RECEIVE_VECTOR: 0x40, REGISTER: 0x80 } as const;

export const APIC_BASE = { BSP: 0x100, X2APIC: 0x400, ENABLE: 0x800 } as const;
export const APIC_DEFAULT_GPA = 0xfee0_0000;

export const MSR_APIC_BASE = 0x1b;
export const MSR_TSC_DEADLINE = 0x6e0;
export const MSR_X2APIC = 0x800;

/** Bits that may be written by WRMSR in x2APIC mode, by offset; others fault (section 10.12.1.2). */
export const X2APIC_WRITABLE: Readonly<Record<number, number>> = {
  [APIC.TPR]: 0xff,
  [APIC.EOI]: 0,
  [APIC.SVR]: SVR_WRITABLE,
  [APIC.ESR]: 0,
  ...LVT_WRITABLE,
  [APIC.TIMER_INITIAL]: 0xffff_ffff,
  [APIC.TIMER_DIVIDE]: 0x0b,
  [APIC.SELF_IPI]: 0xff,
};
