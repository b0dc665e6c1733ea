/** What our VT-x can do, as the capability MSRs say it (SDM vol. 3D appendix A), and as entry checks need it. */
import { CR0, CR4 } from '../x86/registers';
import {
  DEFAULT1, ENTRY_CONTROL, EXIT_CONTROL, PIN, PRIMARY, SECONDARY, VM_FUNCTION, VMCS_REVISION, VMX_MSR,
} from '../x86/vmcs'; // prettier-ignore

const bits = (...numbers: number[]): number => numbers.reduce((mask, n) => mask | (1 << n), 0) >>> 0;
const all = (table: Readonly<Record<string, number>>): number => bits(...Object.values(table));

interface Allowed {
  /** Must be 1. */
  zero: number;
  /** May be 1. */
  one: number;
}
const allowed = (default1: number, known: number, mayBeZero = 0): Allowed => ({
  zero: (default1 & ~mayBeZero) >>> 0,
  one: (default1 | known) >>> 0,
});
/** By the TRUE capability MSRs. */
export const CONTROLS = {
  pin: allowed(DEFAULT1.pin, all(PIN)),
  primary: allowed(DEFAULT1.primary, all(PRIMARY), bits(PRIMARY.CR3_LOAD, PRIMARY.CR3_STORE)),
  secondary: allowed(0, all(SECONDARY)),
  exit: allowed(DEFAULT1.exit, all(EXIT_CONTROL), bits(EXIT_CONTROL.SAVE_DEBUG)),
  entry: allowed(DEFAULT1.entry, all(ENTRY_CONTROL), bits(ENTRY_CONTROL.LOAD_DEBUG)),
} as const;
export type ControlsName = keyof typeof CONTROLS;

/** Of CR0 and CR4 in VMX operation; unrestricted guests may have PE and PG as they like (24.8, appendix A.7, A.8). */
export const CR0_FIXED = (CR0.PE | CR0.NE | CR0.PG) >>> 0;
export const CR0_UNRESTRICTED = CR0.NE;
export const CR4_FIXED = CR4.VMXE;

/** The timer counts once in 2**5 ticks of the TSC (26.5.1). */
export const TIMER_SHIFT = 5;
const REGION_BYTES = 4096n;
const WRITE_BACK = 6n;

const word = ({ zero, one }: Allowed): bigint => BigInt(zero) | (BigInt(one) << 32n);
const old = (name: ControlsName, default1: number): bigint => word({ zero: default1, one: CONTROLS[name].one });

/** EPT: execute-only, 4 levels, write-back, 2 MiB and 1 GiB, accessed and dirty bits, INVEPT and INVVPID of every type. */
const EPT_VPID = bits(0, 6, 8, 14, 16, 17, 20, 21, 25, 26) | 0;
const EPT_VPID_HIGH = bits(0, 8, 9, 10, 11);
/** That there are (appendix A.11). */
export const VM_FUNCTIONS = BigInt(all(VM_FUNCTION));

/** By MSR number. `cr4`: bits of CR4 that exist. */
export function capability(msr: number, cr4: number): bigint | undefined {
  switch (msr) {
    case VMX_MSR.BASIC:
      // TRUE MSRs exist (55); INS and OUTS say what they do (54).
      return BigInt(VMCS_REVISION) | (REGION_BYTES << 32n) | (WRITE_BACK << 50n) | (3n << 54n);
    case VMX_MSR.PIN:
      return old('pin', DEFAULT1.pin);
    case VMX_MSR.PRIMARY:
      return old('primary', DEFAULT1.primary);
    case VMX_MSR.EXIT:
      return old('exit', DEFAULT1.exit);
    case VMX_MSR.ENTRY:
      return old('entry', DEFAULT1.entry);
    case VMX_MSR.TRUE_PIN:
      return word(CONTROLS.pin);
    case VMX_MSR.TRUE_PRIMARY:
      return word(CONTROLS.primary);
    case VMX_MSR.TRUE_EXIT:
      return word(CONTROLS.exit);
    case VMX_MSR.TRUE_ENTRY:
      return word(CONTROLS.entry);
    case VMX_MSR.SECONDARY:
      return word(CONTROLS.secondary);
    case VMX_MSR.MISC:
      // Exits tell the guest's mode (5); halted, shut down and waiting guests can be entered (8:6); four CR3 targets (24:16).
      return BigInt(TIMER_SHIFT) | (0xfn << 5n) | (4n << 16n);
    case VMX_MSR.CR0_FIXED0:
      return BigInt(CR0_FIXED);
    case VMX_MSR.CR0_FIXED1:
      return 0xffff_ffffn;
    case VMX_MSR.CR4_FIXED0:
      return BigInt(CR4_FIXED);
    case VMX_MSR.CR4_FIXED1:
      return BigInt(cr4 >>> 0);
    case VMX_MSR.VMCS_ENUM:
      return 0x2en;
    case VMX_MSR.VMFUNC:
      return VM_FUNCTIONS;
    case VMX_MSR.EPT_VPID:
      return BigInt(EPT_VPID >>> 0) | (BigInt(EPT_VPID_HIGH) << 32n);
    default:
      return undefined;
  }
}
