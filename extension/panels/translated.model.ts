/** Guest code beside its translation, from what the adapter answers. Knows neither the DOM nor DAP. */
import type { CustomRequests, TranslatedBlock } from '../../debug-adapter/protocol';

export type Translated = CustomRequests['ringside/translated']['body'];
export type Block = TranslatedBlock;
export type Instruction = Block['instructions'][number];
type Treatment = Instruction['treatment'];

/** What became of an instruction: for the legend, and for the title of its badge. */
export const TREATMENTS: Record<Treatment, string> = {
  same: 'The same bytes: nothing in it is sensitive, and it may lie anywhere.',
  relocated: 'The same meaning at another place: what depends on where it lies was rewritten.',
  'in-line': 'Sensitive: answered by translated code, without leaving the guest.',
  'call-out': 'Sensitive: the translation calls the hypervisor, which does it.',
};

/** As assemblers list it: without `0x`. */
export const shortAddress = (gva: string): string => gva.replace(/^0x/, '');
export const hexBytes = (bytes: readonly number[]): string =>
  bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

/** Index of the instruction at an address; -1: it is in no line of this block. */
export const indexOf = (block: Block | undefined, gva: string | undefined): number =>
  block?.instructions.findIndex((each) => each.gva === gva) ?? -1;

/** Of a block's own: where it leads, by the instruction that leads there. */
export interface Way {
  gva: string;
  place?: string;
  /** Chained to a translation at this hpa; absent: a stub, which calls the hypervisor. */
  hpa?: number;
}
export function waysOut({ links }: Block): Way[] {
  const ways = new Map<string, Way>();
  for (const { gva, to, chained, place } of links) {
    const known = ways.get(gva);
    // Two jumps to one place: one that is chained is what is worth knowing.
    if (known?.hpa !== undefined) continue;
    ways.set(gva, { gva, ...(place === undefined ? {} : { place }), ...(chained ? { hpa: to } : {}) });
  }
  return [...ways.values()];
}

/** What a screen reader says of a line: both columns, one after the other. */
export function lineText({ gva, place, text, treatment, translated }: Instruction, here: boolean): string {
  const where = `${here ? 'the processor stands here, ' : ''}${place ?? `gv:${gva}`}`;
  return `${where}: ${text}; ${treatment}: ${translated.map((each) => each.text).join('; ')}`;
}

type Position = Translated['position'];

/** The processor's next step in what is executed, in words. */
export function positionText({ kind, gva, hpa, text, to }: Position): string {
  const at = hpa === undefined ? '' : ` at hp:0x${hpa.toString(16)}${text === undefined ? '' : `, ${text}`}`;
  const where = to === undefined ? '' : `, which lies at hp:0x${to.toString(16)}`;
  const words: Record<Position['kind'], string> = {
    instruction: `an instruction of the guest${at}`,
    'in-line': `a sensitive instruction, answered in line${at}`,
    'call-out': `a sensitive instruction, for which the hypervisor is called${at}`,
    join: `a jump that joins two translations${at}${where}`,
    stub: `a stub${at}: the hypervisor translates the code at gv:${gva}`,
    lookup: `an indirect branch to gv:${gva}: its translation is looked up${where}`,
    untranslated: `gv:${gva} is not translated: the hypervisor does that first`,
    direct: 'this code runs as it is, untranslated',
  };
  return `Next: ${words[kind]}.`;
}

/** How full the cache is and what has become of blocks. */
export function cacheText({ cache }: Translated): string {
  const { blocks, instructions, invalidated, flushed } = cache.counts;
  const number = (value: number): string => value.toLocaleString('en-US');
  const parts = [
    `${number(blocks)} blocks of ${number(instructions)} instructions translated`,
    `${number(Math.ceil(cache.used / 1024))} of ${number(cache.bytes / 1024)} KiB in use`,
    `${number(invalidated)} void because the guest wrote there`,
    `${number(flushed)} flushes`,
  ];
  return parts.join(' · ');
}
