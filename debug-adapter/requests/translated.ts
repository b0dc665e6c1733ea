/** ringside/translated. */
import type { TranslatedView } from '../../emulator/machine/inspect-api';
import { UserError } from '../../emulator/util/assert';
import { shortHex } from '../addresses';
import { integer, maybeObject, optional, string } from '../arguments';
import type { Debuggee } from '../debuggee';
import { toJson } from '../json';
import { cpuOf, handler } from './handler';

export const translated = handler(
  maybeObject({ address: optional(string), cpu: optional(integer(0)), frameId: optional(integer(0)) }),
  (session, { address, cpu, frameId }) => {
    const target = session.target;
    const view = target.machine.virtualization?.inspect;
    if (!view?.cache)
      throw new UserError('Code is translated under "technique": "binary-translation" alone; launch with that.');
    const gva = address === undefined ? target.machine.inspect.pc(cpuOf(target, cpu)) : guestAddress(target, address, frameId); // prettier-ignore
    const blocks = view.translated(gva);
    return { gva: toJson(gva), blocks: toJson(blocks), cache: toJson(view.cache), text: textOf(target, gva, blocks) };
  },
);

function guestAddress(target: Debuggee, text: string, frameId: number | undefined): bigint {
  const { space, value } = target.evaluator.addressIn(text, 'address', frameId);
  if (space === 'gv') return value;
  const { inspect } = target.machine.virtualization!;
  const gva = space === 'hp' ? inspect.gvaOfTranslation(Number(value)) : undefined;
  if (gva === undefined) throw new UserError(`${text} is not in the translation cache; give gv: of guest code, or hp: of a translation.`); // prettier-ignore
  return gva;
}

function textOf(target: Debuggee, gva: bigint, blocks: readonly TranslatedView[]): string {
  if (blocks.length === 0) return `gv:${target.address(gva)} is not translated now: programs run as they are, and kernels' code is translated when it is reached.`; // prettier-ignore
  return blocks.flatMap((block) => blockLines(target, gva, block)).join('\n');
}
/** The guest's instruction, then what is executed for it. */
function blockLines(target: Debuggee, gva: bigint, block: TranslatedView): string[] {
  const lines = [`block of gv:${target.address(block.gva)} at hp:${shortHex(block.hpa)}, ${block.bytes} bytes, mapped at gv:${target.address(block.mappedAt)}`]; // prettier-ignore
  for (const { gva: at, text, treatment, translated: made } of block.instructions) {
    lines.push(`${at === gva ? '=>' : '  '} gv:${target.address(at)} ${text.padEnd(36)} ${treatment}`);
    for (const each of made) lines.push(`       hp:${shortHex(each.hpa)} ${each.text}`);
  }
  for (const { gva: to, to: hpa, chained } of block.links)
    lines.push(`   to gv:${target.address(to)}: ${chained ? `chained to hp:${shortHex(hpa)}` : 'a stub, not translated yet'}`);
  return lines;
} // prettier-ignore
