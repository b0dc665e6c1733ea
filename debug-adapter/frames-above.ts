/** What stands above the guest's frames: the hypervisor, when stopped in an exit; after a step in translated code, that. */
import type { TranslatedPosition } from '../emulator/machine/inspect-api';
import { shortHex } from './addresses';
import type { Debuggee } from './debuggee';
import type { LabelFrame } from './frames';

export function framesAbove(target: Debuggee, cpu: number): LabelFrame[] {
  const translated = target.translatedStep?.cpu === cpu ? translatedFrame(target, cpu) : undefined;
  if (translated) return [translated];
  const stop = target.lastStop;
  if (stop?.kind !== 'vm-exit' || stop.cpu !== cpu) return [];
  const technique = target.machine.virtualization?.technique ?? 'none';
  const { hypercall, reason } = stop.exit;
  const what = hypercall ? `hypercall ${hypercall.name}` : `VM exit: ${reason}`;
  return [{ kind: 'label', cpu, text: `--- ${what}, hypervisor (${technique}) ---`, top: true }];
}

const WHAT: Record<TranslatedPosition['kind'], string> = {
  instruction: 'translated code',
  'in-line': 'translated code, answered in line',
  'call-out': 'translated code, a call-out to the hypervisor',
  join: 'between two translations',
  stub: 'a stub: the hypervisor translates',
  lookup: 'an indirect branch: its translation is looked up',
  untranslated: 'the hypervisor translates',
  direct: 'not translated: the code runs as it is',
};

function translatedFrame(target: Debuggee, cpu: number): LabelFrame | undefined {
  const position = target.machine.virtualization?.inspect.translatedPosition(cpu);
  if (!position) return undefined;
  const { kind, hpa, text } = position;
  const where = hpa === undefined ? '' : `, hp:${shortHex(hpa)} ${text}`;
  const label: LabelFrame = { kind: 'label', cpu, text: `--- ${WHAT[kind]}${where} ---`, top: true };
  return hpa === undefined ? label : { ...label, hpa };
}
