/** VT-x (SDM vol. 3C chapter 31) and AMD-V (APM vol. 3 chapter 4): what a hypervisor executes, and its guests call it by. */
import type { RowAttributes } from '../instruction';
import { called } from '../row';
import type { RowSpec } from '../row';
import * as vmx from '../semantics/vmx';
import * as svm from '../semantics/svm';

// A guest leaves before its privilege is looked at: the meaning does that (operation sections of chapter 31).
// VMsucceed, VMfailInvalid and VMfailValid are told by CF and ZF; the other arithmetic flags become 0 (31.2).
const intel: RowAttributes = { feature: 'vmx', intercept: 'virtualization', ends: true, writes: 'OSZAPC' };
const inMemory: RowAttributes = { ...intel, form: 'memory' };
const amd: RowAttributes = {
  feature: 'svm',
  intercept: 'virtualization',
  ends: true,
  protectedOnly: true,
  privileged: true,
};

export const virtualizationRows: readonly RowSpec[] = [
  called('f3 0f c7 /6', 'vmxon', 'Mq', vmx.vmxon, inMemory),
  called('np 0f 01 c4', 'vmxoff', '', vmx.vmxoff, intel),
  called('66 0f c7 /6', 'vmclear', 'Mq', vmx.vmclear, inMemory),
  called('np 0f c7 /6', 'vmptrld', 'Mq', vmx.vmptrld, inMemory),
  called('np 0f c7 /7', 'vmptrst', 'Mq', vmx.vmptrst, inMemory),
  called('np 0f 78 /r', 'vmread', 'En,Gn', vmx.vmread, intel),
  called('np 0f 79 /r', 'vmwrite', 'Gn,En', vmx.vmwrite, intel),
  called('np 0f 01 c2', 'vmlaunch', '', vmx.vmlaunch, intel),
  called('np 0f 01 c3', 'vmresume', '', vmx.vmresume, intel),
  called('np 0f 01 c1', 'vmcall', '', vmx.vmcall, intel),
  called('np 0f 01 d4', 'vmfunc', '', vmx.vmfunc, { ...intel, writes: '' }),
  called('66 0f 38 80 /r', 'invept', 'Gn,Mdq', vmx.invept, inMemory),
  called('66 0f 38 81 /r', 'invvpid', 'Gn,Mdq', vmx.invvpid, inMemory),

  called('0f 01 d8', 'vmrun', '', svm.vmrun, amd),
  called('0f 01 d9', 'vmmcall', '', svm.vmmcall, { ...amd, protectedOnly: false, privileged: false }),
  called('0f 01 da', 'vmload', '', svm.vmload, amd),
  called('0f 01 db', 'vmsave', '', svm.vmsave, amd),
  called('0f 01 dc', 'stgi', '', svm.stgi, amd),
  called('0f 01 dd', 'clgi', '', svm.clgi, amd),
  called('0f 01 de', 'skinit', '', svm.skinit, { ...amd, writes: 'OSZAPCDIT' }),
  called('0f 01 df', 'invlpga', '', svm.invlpga, amd),
]; // prettier-ignore
