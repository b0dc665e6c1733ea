/** Exits of paravirtualised guests as people see them. */
import type { Cpu } from '../../cpu/cpu';
import { exitOf } from '../describe';
import type { Interruption } from '../../cpu/ports';
import type { VmExit } from '../exit';
import type { Guest } from '../guest';
import { interceptedBy } from '../../cpu/intercepts';
import type { Occasion } from './paravirtual';

export function paravirtualExit(guest: Guest, cpu: Cpu, thrown: Interruption, occasion: Occasion): VmExit {
  const exit = exitOf(guest, cpu, thrown, () => undefined);
  if (cpu.overseer?.inPortedKernel) exit.ported = true;
  switch (occasion.kind) {
    case 'hypercall':
      exit.reason = 'hypercall';
      break;
    case 'system-call':
      exit.mnemonic = occasion.call === 'sysenter' ? 'sysenter' : 'syscall';
      break;
    case 'table-write':
      exit.reason = 'page-table-write';
      exit.gpa = occasion.at.mfn * 4096 + occasion.at.offset;
      break;
    case 'privileged': {
      exit.mnemonic = occasion.instruction.row.mnemonic;
      const cause = interceptedBy(cpu, occasion.instruction);
      exit.reason = cause?.reason ?? 'privileged-instruction';
      if (cause) exit.cause = cause;
      break;
    }
    case 'cpuid':
      exit.mnemonic = 'cpuid';
      break;
  }
  return exit;
}
