/** ringside/translated, ringside/stepTranslated. */
import type { Virtualization } from '../../emulator/machine/api';
import type { HypervisorInspector, TranslatedPosition, TranslatedView } from '../../emulator/machine/inspect-api';
import { UserError } from '../../emulator/util/assert';
import { shortHex } from '../addresses';
import { integer, maybeObject, object, optional, string } from '../arguments';
import type { Debuggee } from '../debuggee';
import { toJson } from '../json';
import type { TranslatedBlock } from '../protocol';
import type { RingsideSession } from '../session';
import { stepInTranslation } from '../translated-step';
import { cpuOf, handler } from './handler';

export const translated = handler(
  maybeObject({ address: optional(string), cpu: optional(integer(0)), frameId: optional(integer(0)) }),
  async (session, { address, cpu, frameId }) => {
    const target = session.target;
    const view = translating(target).inspect;
    const number = cpuOf(target, cpu);
    const gva = address === undefined ? target.machine.inspect.pc(number) : guestAddress(target, address, frameId);
    const position = view.translatedPosition(number)!;
    const blocks = view.translated(gva);
    if (address === undefined) blocks.unshift(...around(view, position, blocks));
    const text = textOf(target, gva, blocks, position);
    const { cache } = view;
    const placed = await Promise.all(blocks.map((block) => withPlaces(session, target, block)));
    return { gva: toJson(gva), blocks: placed, cache: toJson(cache), text, position: toJson(position) };
  },
);

export const stepTranslated = handler(object({ threadId: integer() }), (session, { threadId }) => {
  const target = session.target;
  translating(target);
  stepInTranslation(target, target.cpuOf(threadId));
});

/** Symbols and source lines, so that a client can lead to them. */
async function withPlaces(session: RingsideSession, target: Debuggee, block: TranslatedView): Promise<TranslatedBlock> {
  const place = (gva: bigint): { place?: string } => {
    const found = target.program.describe(gva);
    return found === undefined ? {} : { place: found };
  };
  const source = async (gva: bigint): Promise<{ source?: { path: string; line: number } }> => {
    const line = target.program.lineAt(gva);
    const found = line && (await target.paths.toEditor(line.path));
    return found?.exists ? { source: { path: found.path, line: line!.line - 1 + session.client.firstLine } } : {};
  };
  const { instructions, links, ...rest } = block;
  const lines = instructions.map(async (each) => ({
    ...toJson(each),
    ...place(each.gva),
    ...(await source(each.gva)),
  }));
  return {
    ...toJson(rest),
    instructions: await Promise.all(lines),
    links: links.map((each) => ({ ...toJson(each), ...place(each.gva) })),
  };
}

/** The block in which the processor stands, behind its last instruction: at a join, which stands for code elsewhere. */
function around(
  view: HypervisorInspector,
  { block }: TranslatedPosition,
  known: readonly TranslatedView[],
): TranslatedView[] {
  if (block === undefined || known.some(({ hpa }) => hpa === block)) return [];
  return view.translated(view.gvaOfTranslation(block)!).filter(({ hpa }) => hpa === block);
}

function translating(target: Debuggee): Virtualization {
  const { virtualization } = target.machine;
  if (!virtualization?.inspect.cache)
    throw new UserError('Code is translated under "technique": "binary-translation" alone; launch with that.');
  return virtualization;
}

function guestAddress(target: Debuggee, text: string, frameId: number | undefined): bigint {
  const { space, value } = target.evaluator.addressIn(text, 'address', frameId);
  if (space === 'gv') return value;
  const { inspect } = target.machine.virtualization!;
  const gva = space === 'hp' ? inspect.gvaOfTranslation(Number(value)) : undefined;
  if (gva === undefined) throw new UserError(`${text} is not in the translation cache; give gv: of guest code, or hp: of a translation.`); // prettier-ignore
  return gva;
}

function textOf(target: Debuggee, gva: bigint, blocks: readonly TranslatedView[], position: TranslatedPosition): string {
  if (blocks.length === 0) return `gv:${target.address(gva)} is not translated now: programs run as they are, and kernels' code is translated when it is reached.`; // prettier-ignore
  return blocks.flatMap((block) => blockLines(target, gva, block, position.hpa)).join('\n');
} // prettier-ignore
/** The guest's instruction, then what is executed for it; `stands`: where the processor is in that. */
function blockLines(target: Debuggee, gva: bigint, block: TranslatedView, stands: number | undefined): string[] {
  const lines = [`block of gv:${target.address(block.gva)} at hp:${shortHex(block.hpa)}, ${block.bytes} bytes, mapped at gv:${target.address(block.mappedAt)}`]; // prettier-ignore
  for (const { gva: at, text, treatment, translated: made } of block.instructions) {
    lines.push(`${at === gva ? '=>' : '  '} gv:${target.address(at)} ${text.padEnd(36)} ${treatment}`);
    for (const each of made) lines.push(`    ${each.hpa === stands ? '->' : '  '} hp:${shortHex(each.hpa)} ${each.text}`);
  }
  for (const { gva: to, to: hpa, chained } of block.links)
    lines.push(`   to gv:${target.address(to)}: ${chained ? `chained to hp:${shortHex(hpa)}` : 'a stub, not translated yet'}`);
  return lines;
} // prettier-ignore
