/**
 * The one place where a plain meaning is allowed or refused: features, modes, privilege, ports and intercepts are
 * columns of the row, tested here before the meaning runs (SDM vol. 2 3.1.1.x, vol. 3A 5.9).
 */
import { assert } from '../util/assert';
import { GPR } from '../x86/registers';
import type { Instruction, Row, RowAttributes, SystemMeaning } from '../isa/instruction';
import { gp, ud } from './faults';
import { refusedPort } from './io-permission';
import type { Interruption } from './exit-cause';
import type { Cpu } from './cpu';

/**
 * What the meaning returned, 'jumped' if RIP is already where it belongs; or what stops the instruction, where that is known
 * beforehand: an exit or a trap to a hypervisor is as frequent as its guest wants, and V8 takes microseconds to throw. Throws
 * Interruption where the meaning does.
 */
export function dispatchCalled(cpu: Cpu, instruction: Instruction): void | 'jumped' | Interruption {
  const { attributes } = instruction.row;
  const plain = plainOf(instruction.row);
  assert(plain, `${instruction.row.mnemonic} has no plain meaning`);
  checkExists(cpu, attributes);
  if (attributes.privileged && cpu.state.cpl !== 0) return gp(0);
  const refused = attributes.io && refusedPort(cpu, portOf(cpu, instruction), portBytes(instruction));
  if (refused) return refused;
  if (cpu.overseer && (attributes.intercept !== undefined || attributes.sensitive)) {
    const answer = cpu.overseer.instruction(instruction);
    if (answer !== undefined) return answer === 'done' ? undefined : answer;
  }
  return plain(cpu, instruction);
}

/** Undefined: the row is emitted, and that alone. */
export const plainOf = ({ meaning }: Row): SystemMeaning | undefined =>
  meaning.kind === 'call' ? meaning.call : meaning.plain;

function checkExists(cpu: Cpu, attributes: RowAttributes): void {
  if (attributes.feature !== undefined && !cpu.model.has(attributes.feature)) throw ud();
  // Before privilege is looked at (APM vol. 2 15.4; vol. 3, VMRUN, CLGI and the like).
  if (attributes.feature === 'svm' && !cpu.svm?.on) throw ud();
  if (attributes.protectedOnly && cpu.real) throw ud();
  // SDM vol. 2, SYSCALL, SYSRET; APM vol. 3, SYSENTER, SYSEXIT.
  if (attributes.only64OnIntel && !cpu.long && cpu.model.vendor === 'GenuineIntel') throw ud();
  if (attributes.notLongOnAmd && cpu.ia32e && cpu.model.vendor === 'AuthenticAMD') throw ud();
}

/** IN and OUT name the port by an immediate; everything else by DX. */
function portOf(cpu: Cpu, instruction: Instruction): number {
  for (const operand of instruction.operands) if (operand.kind === 'immediate') return Number(operand.value & 0xffn);
  return cpu.state.gpr16(GPR.RDX);
}
function portBytes(instruction: Instruction): number {
  for (const operand of instruction.operands) {
    if (operand.kind === 'gpr' && operand.index === GPR.RAX) return Math.min(operand.size, 32) / 8;
    if (operand.kind === 'memory' && operand.size > 0) return Math.min(operand.size, 32) / 8;
  }
  return Math.min(instruction.operandSize, 32) / 8;
}
