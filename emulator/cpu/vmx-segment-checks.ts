/** Checks of VM entry on the guest's segment registers (SDM vol. 3C 27.3.1.2). */
import { CR0, RFLAGS } from '../x86/registers';
import type { VmcsFieldName } from '../x86/vmcs';
import { TYPE } from './descriptors';
import { isCanonical } from '../util/words';
import { ATTRIBUTE } from './state';
import type { UnplacedCheck } from './vmx-checks';
import type { Vmcs } from './vmcs-region';

const DATA = ['SS', 'DS', 'ES', 'FS', 'GS'] as const;
const ORDINARY = ['CS', ...DATA] as const;
type Name = (typeof ORDINARY)[number] | 'LDTR' | 'TR';
type Test = (v: Vmcs) => boolean;

const rights = (v: Vmcs, name: Name): number => v.read32(`GUEST_${name}_RIGHTS`);
const typeOf = (v: Vmcs, name: Name): number => rights(v, name) & ATTRIBUTE.TYPE;
const dpl = (v: Vmcs, name: Name): number => (rights(v, name) >>> 5) & 3;
const rpl = (v: Vmcs, name: Name): number => v.read32(`GUEST_${name}`) & 3;
const usable = (v: Vmcs, name: Name): boolean => (rights(v, name) & ATTRIBUTE.UNUSABLE) === 0;
const virtual8086: Test = (v) => v.has('GUEST_RFLAGS', VM_BIT);
/** Of RFLAGS: nothing else of it matters here, and it changes all the time (vmx-check-memo.ts). */
const VM_BIT = Math.log2(RFLAGS.VM);
/** Attributes of every segment in virtual-8086 mode. */
const V86_RIGHTS = 0xf3;
const RESERVED = ~0x1_f0ff;

const row = (field: VmcsFieldName, rule: string, fails: Test): UnplacedCheck => ({ field, rule, fails });

function limitDisagrees(v: Vmcs, name: Name): boolean {
  const limit = v.read32(`GUEST_${name}_LIMIT`);
  const granular = (rights(v, name) & ATTRIBUTE.G) !== 0;
  return granular ? (limit & 0xfff) !== 0xfff : limit >>> 20 !== 0;
}

export function guestSegmentChecks(unrestricted: Test, wide: Test): UnplacedCheck[] {
  const plain: Test = (v) => !virtual8086(v);
  const checked = (v: Vmcs, name: Name): boolean => plain(v) && (name === 'CS' || usable(v, name));
  const code: Test = (v) => {
    const type = typeOf(v, 'CS');
    return !(type === 9 || type === 11 || type === 13 || type === 15 || (unrestricted(v) && type === 3));
  };
  return [
    row('GUEST_TR', 'TI must be 0', (v) => (v.read32('GUEST_TR') & 4) !== 0),
    row('GUEST_LDTR', 'TI must be 0', (v) => usable(v, 'LDTR') && (v.read32('GUEST_LDTR') & 4) !== 0),
    row('GUEST_SS', 'its RPL is that of CS', (v) => plain(v) && !unrestricted(v) && rpl(v, 'SS') !== rpl(v, 'CS')),
    ...ORDINARY.map((name) =>
      row(`GUEST_${name}_BASE`, 'in virtual-8086 mode the selector times 16', (v) =>
        virtual8086(v) && v.read(`GUEST_${name}_BASE`) !== (v.read(`GUEST_${name}`) & 0xffffn) << 4n)),
    ...(['TR', 'FS', 'GS'] as const).map((name) =>
      row(`GUEST_${name}_BASE`, 'it must be canonical', (v) => !isCanonical(v.read(`GUEST_${name}_BASE`)))),
    row('GUEST_LDTR_BASE', 'it must be canonical', (v) => usable(v, 'LDTR') && !isCanonical(v.read('GUEST_LDTR_BASE'))),
    ...(['CS', 'SS', 'DS', 'ES'] as const).map((name) =>
      row(`GUEST_${name}_BASE`, 'bits 63:32 must be 0', (v) => (name === 'CS' || usable(v, name)) && v.read(`GUEST_${name}_BASE`) >> 32n !== 0n)),
    ...ORDINARY.map((name) =>
      row(`GUEST_${name}_LIMIT`, 'FFFFh in virtual-8086 mode', (v) => virtual8086(v) && v.read(`GUEST_${name}_LIMIT`) !== 0xffffn)),
    ...ORDINARY.map((name) =>
      row(`GUEST_${name}_RIGHTS`, 'F3h in virtual-8086 mode', (v) => virtual8086(v) && rights(v, name) !== V86_RIGHTS)),
    row('GUEST_CS_RIGHTS', 'the type is that of accessed code', (v) => plain(v) && code(v)),
    row('GUEST_SS_RIGHTS', 'the type is 3 or 7', (v) => checked(v, 'SS') && typeOf(v, 'SS') !== 3 && typeOf(v, 'SS') !== 7),
    ...(['DS', 'ES', 'FS', 'GS'] as const).map((name) =>
      row(`GUEST_${name}_RIGHTS`, 'the type is accessed, and readable if it is code', (v) =>
        checked(v, name) && ((typeOf(v, name) & 1) === 0 || ((typeOf(v, name) & 8) !== 0 && (typeOf(v, name) & 2) === 0)))),
    ...ORDINARY.map((name) => row(`GUEST_${name}_RIGHTS`, 'S must be 1', (v) => checked(v, name) && !(rights(v, name) & ATTRIBUTE.S))),
    row('GUEST_CS_RIGHTS', 'DPL: 0 for type 3, RPL of SS or below by the type of code', (v) => {
      if (!plain(v)) return false;
      const type = typeOf(v, 'CS');
      if (type === 3) return dpl(v, 'CS') !== 0;
      return type === 9 || type === 11 ? dpl(v, 'CS') !== dpl(v, 'SS') : dpl(v, 'CS') > dpl(v, 'SS');
    }),
    row('GUEST_SS_RIGHTS', 'DPL is the RPL of SS', (v) => plain(v) && !unrestricted(v) && dpl(v, 'SS') !== rpl(v, 'SS')),
    row('GUEST_SS_RIGHTS', 'DPL is 0 in real mode', (v) =>
      plain(v) && (typeOf(v, 'CS') === 3 || !(v.read('GUEST_CR0') & BigInt(CR0.PE))) && dpl(v, 'SS') !== 0),
    ...ORDINARY.map((name) => row(`GUEST_${name}_RIGHTS`, 'P must be 1', (v) => checked(v, name) && !(rights(v, name) & ATTRIBUTE.P))),
    ...ORDINARY.map((name) => row(`GUEST_${name}_RIGHTS`, 'reserved bits must be 0', (v) => checked(v, name) && (rights(v, name) & RESERVED) !== 0)),
    row('GUEST_CS_RIGHTS', 'L and D may not both be set in IA-32e mode', (v) =>
      plain(v) && wide(v) && (rights(v, 'CS') & (ATTRIBUTE.L | ATTRIBUTE.DB)) === (ATTRIBUTE.L | ATTRIBUTE.DB)),
    ...ORDINARY.map((name) => row(`GUEST_${name}_RIGHTS`, 'G agrees with the limit', (v) => checked(v, name) && limitDisagrees(v, name))),
    row('GUEST_TR_RIGHTS', 'a busy TSS: 11, or 3 outside IA-32e mode', (v) =>
      typeOf(v, 'TR') !== TYPE.TSS32_BUSY && (wide(v) || typeOf(v, 'TR') !== TYPE.TSS16_BUSY)),
    row('GUEST_TR_RIGHTS', 'a present system segment, usable, reserved bits 0', (v) =>
      !usable(v, 'TR') || (rights(v, 'TR') & ATTRIBUTE.S) !== 0 || !(rights(v, 'TR') & ATTRIBUTE.P) || (rights(v, 'TR') & RESERVED) !== 0),
    row('GUEST_TR_RIGHTS', 'G agrees with the limit', (v) => limitDisagrees(v, 'TR')),
    row('GUEST_LDTR_RIGHTS', 'a present LDT, reserved bits 0', (v) =>
      usable(v, 'LDTR') && (typeOf(v, 'LDTR') !== TYPE.LDT || (rights(v, 'LDTR') & ATTRIBUTE.S) !== 0 || !(rights(v, 'LDTR') & ATTRIBUTE.P) || (rights(v, 'LDTR') & RESERVED) !== 0)),
    row('GUEST_LDTR_RIGHTS', 'G agrees with the limit', (v) => usable(v, 'LDTR') && limitDisagrees(v, 'LDTR')),
  ];
} // prettier-ignore
