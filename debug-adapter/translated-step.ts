/** One step in translated code: the processor's own next one, or what lies between two translations and takes no time. */
import type { Stop } from '../emulator/machine/api';
import type { TranslationStepper } from '../emulator/machine/inspect-api';
import { UserError } from '../emulator/util/assert';
import type { Debuggee } from './debuggee';
import type { Activity } from './runner';
import { step } from './stepping';

/** Answers at once; `stopped` follows. */
export function stepInTranslation(target: Debuggee, cpu: number): void {
  target.mustStand();
  const stepper = target.machine.virtualization?.translation;
  if (!stepper) throw new UserError('There is no translated code to step in.');
  const stop = target.lastStop;
  target.resume(translatedStep(target, stepper, cpu, stop?.kind === 'trap' && stop.cpu === cpu), cpu, 'step');
}

function* translatedStep(target: Debuggee, stepper: TranslationStepper, cpu: number, undelivered: boolean): Activity {
  const view = target.machine.virtualization!.inspect;
  let stop: Stop = { kind: 'limit' };
  if (undelivered || !stepper.follow(cpu)) {
    const from = view.translatedPosition(cpu)!;
    stop = yield* step(target.unwinding, cpu, 'in', 'instruction', undelivered);
    if (stop.kind === 'limit') stepper.executed(cpu, from);
  }
  if (stop.kind === 'limit') target.translatedStep = { cpu };
  return stop;
}
