/**
 * What the rows cannot say of privilege because it depends on more than CPL, and what a hypervisor has to ask for so that an
 * instruction leaves the guest. SDM vol. 2 (exceptions of each instruction), vol. 3C chapter 26; APM vol. 2 chapter 15.
 */

/** Which ring may: beside `privileged` and `io` of the rows. */
export const PRIVILEGE: Readonly<Record<string, string>> = {
  cli: 'CPL must be at most IOPL (#GP), unless CR4.PVI or VME makes it act on VIF.',
  sti: 'CPL must be at most IOPL (#GP), unless CR4.PVI or VME makes it act on VIF.',
  pushf: 'Any ring; in virtual-8086 mode IOPL must be 3 (#GP), unless CR4.VME.',
  popf: 'Any ring; in virtual-8086 mode IOPL must be 3 (#GP), unless CR4.VME.',
  iret: 'Any ring; in virtual-8086 mode IOPL must be 3 (#GP), unless CR4.VME.',
  int: 'The DPL of the gate must be at least CPL (#GP); in virtual-8086 mode IOPL must be 3, unless CR4.VME.',
  clac: 'Ring 0 alone (#UD).',
  stac: 'Ring 0 alone (#UD).',
  rdtsc: 'Any ring; with CR4.TSD ring 0 alone (#GP).',
  rdtscp: 'Any ring; with CR4.TSD ring 0 alone (#GP).',
  rdpmc: 'Ring 0 (#GP); any ring with CR4.PCE.',
  sgdt: 'Any ring; with CR4.UMIP ring 0 alone (#GP).',
  sidt: 'Any ring; with CR4.UMIP ring 0 alone (#GP).',
  sldt: 'Any ring; with CR4.UMIP ring 0 alone (#GP).',
  str: 'Any ring; with CR4.UMIP ring 0 alone (#GP).',
  smsw: 'Any ring; with CR4.UMIP ring 0 alone (#GP).',
  vmcall: 'Any ring in a guest; ring 0 in root operation (#GP); #UD outside VMX operation.',
  vmmcall: 'Any ring in a guest; #UD where nothing intercepts it.',
  rsm: 'In system-management mode only (#UD).',
  syscall: 'Any ring, with IA32_EFER.SCE (#UD); on Intel in 64-bit mode only (#UD).',
  ...Object.fromEntries(['vmxon', 'vmxoff', 'vmclear', 'vmptrld', 'vmptrst', 'vmread', 'vmwrite', 'vmlaunch', 'vmresume', 'invept', 'invvpid'].map((name) => [name, 'Ring 0 alone (#GP), in root operation; in a guest it exits first.'])),
}; // prettier-ignore

export interface Interception {
  /** Control of VT-x in quotes as the manual names it, or what is unconditional. */
  vmx: string;
  /** Intercept of AMD-V. */
  svm: string;
}
const never = 'no exit';
const plain = (name: string): Interception => ({ vmx: never, svm: `${name} intercept` });

/** By the rows' `intercept`. */
export const INTERCEPTIONS: Readonly<Record<string, Interception>> = {
  cpuid: { vmx: 'always an exit', svm: 'CPUID intercept' },
  hlt: { vmx: '"HLT exiting"', svm: 'HLT intercept' },
  invd: { vmx: 'always an exit', svm: 'INVD intercept' },
  wbinvd: { vmx: '"WBINVD exiting"', svm: 'WBINVD intercept' },
  rdtsc: { vmx: '"RDTSC exiting"', svm: 'RDTSC intercept' },
  rdtscp: { vmx: '"RDTSC exiting" (#UD without "enable RDTSCP")', svm: 'RDTSCP intercept' },
  rdpmc: { vmx: '"RDPMC exiting"', svm: 'RDPMC intercept' },
  pause: { vmx: '"PAUSE exiting", or "PAUSE-loop exiting" in ring 0', svm: 'PAUSE intercept, with its filter' },
  rsm: { vmx: 'under the dual-monitor treatment', svm: 'RSM intercept' },
  xsetbv: { vmx: 'always an exit', svm: 'XSETBV intercept' },
  xsaves: { vmx: 'XSS-exiting bitmap (#UD without "enable XSAVES/XRSTORS")', svm: never },
  rdrand: { vmx: '"RDRAND exiting"', svm: never },
  rdseed: { vmx: '"RDSEED exiting"', svm: never },
  invpcid: { vmx: '"INVLPG exiting" (#UD without "enable INVPCID")', svm: 'INVPCID intercept' },
  invlpg: { vmx: '"INVLPG exiting"', svm: 'INVLPG intercept' },
  iret: plain('IRET'),
  pushf: plain('PUSHF'),
  popf: plain('POPF'),
  int: plain('INTn'),
  int1: { vmx: 'as #DB, by the exception bitmap', svm: 'ICEBP intercept' },
  io: { vmx: '"unconditional I/O exiting", or "use I/O bitmaps" and the port\'s bit', svm: 'IOIO_PROT and the port\'s bit in the I/O permission map' },
  'msr-read': { vmx: 'always, or with "use MSR bitmaps" by the register\'s bit', svm: 'MSR_PROT and the register\'s bit in the MSR permission map' },
  'msr-write': { vmx: 'always, or with "use MSR bitmaps" by the register\'s bit', svm: 'MSR_PROT and the register\'s bit in the MSR permission map' },
  'cr-access': { vmx: 'CR0 and CR4: writes that change a bit of the guest/host mask; CR3: "CR3-load exiting", "CR3-store exiting"; CR8: "CR8-load exiting", "CR8-store exiting"', svm: 'intercepts of reads and writes of each CR' },
  'dr-access': { vmx: '"MOV-DR exiting"', svm: 'intercepts of reads and writes of each DR' },
  'descriptor-table': { vmx: '"descriptor-table exiting"', svm: 'GDTR and IDTR read and write intercepts' },
  'task-register': { vmx: '"descriptor-table exiting"', svm: 'LDTR and TR read and write intercepts' },
  virtualization: { vmx: 'always an exit', svm: 'an intercept for each' },
}; // prettier-ignore

const always = (name: string): Interception => ({ vmx: 'always an exit', svm: `${name}: #UD, as there is no VT-x` });
const ofSvm = (name: string): Interception => ({ vmx: '#UD, as there is no AMD-V', svm: `${name} intercept` });
const asException = (name: string): Interception => ({ vmx: `as ${name}, by the exception bitmap`, svm: `as ${name}, by the intercepts of exceptions` }); // prettier-ignore

/** By mnemonic, where it is another than its kind's (SDM vol. 3C 26.1.2, 26.1.3; APM vol. 2 15.8, 15.9). */
export const EXITS_OF: Readonly<Record<string, Interception>> = {
  clts: { vmx: 'where TS is 1 in the CR0 guest/host mask and in the read shadow', svm: 'intercept of writes of CR0' },
  lmsw: { vmx: 'where it would set PE, or change MP, EM or TS, against the CR0 guest/host mask and read shadow', svm: 'intercept of writes of CR0, or of those that change more than TS and MP' },
  smsw: { vmx: 'no exit: where the CR0 guest/host mask is set it sees the read shadow', svm: 'intercept of reads of CR0' },
  int3: asException('#BP'), into: asException('#OF'), bound: asException('#BR'), ud0: asException('#UD'), ud1: asException('#UD'), ud2: asException('#UD'),
  vmread: { ...always('VMREAD'), vmx: 'always, or with "VMCS shadowing" by the field\'s bit' },
  vmwrite: { ...always('VMWRITE'), vmx: 'always, or with "VMCS shadowing" by the field\'s bit' },
  vmfunc: { ...always('VMFUNC'), vmx: 'where the function or its operand is not allowed; #UD without "enable VM functions"' },
  vmrun: { ...ofSvm('VMRUN'), svm: 'VMRUN intercept, which must be set' },
  vmmcall: { ...ofSvm('VMMCALL'), svm: 'VMMCALL intercept; #UD without it' },
  ...Object.fromEntries(['vmload', 'vmsave', 'stgi', 'clgi', 'skinit', 'invlpga'].map((name) => [name, ofSvm(name.toUpperCase())])),
  ...Object.fromEntries(['vmxon', 'vmxoff', 'vmclear', 'vmptrld', 'vmptrst', 'vmlaunch', 'vmresume', 'vmcall', 'invept', 'invvpid'].map((name) => [name, always(name.toUpperCase())])),
}; // prettier-ignore
