/** A debugger's steps in translated code. */
import type { TranslatedPosition, TranslationStepper } from '../../machine/inspect-api';
import type { Guest } from '../guest';
import type { EngineView } from '../inspect/engine-view';

export class TranslationSteps implements TranslationStepper {
  constructor(
    private readonly from: NonNullable<EngineView['translations']>,
    private readonly guest: Guest,
  ) {}

  follow(cpu: number): boolean {
    const processor = this.guest.cpus[cpu];
    return this.from.translated(processor) && this.from.standings.follow(processor, this.from.look(processor));
  }
  executed(cpu: number, { hpa, bytes }: TranslatedPosition): void {
    const processor = this.guest.cpus[cpu];
    if (hpa === undefined || !bytes || !this.from.translated(processor)) return;
    this.from.standings.backToJoin(processor, hpa - this.from.hpa, bytes.length);
  }
}
