/** Guest code beside its translation, from what the adapter answers. Knows neither the DOM nor DAP. */
import type { CustomRequests, TranslatedBlock } from '../../debug-adapter/protocol';
import { translate } from './l10n';

export type Translated = CustomRequests['ringside/translated']['body'];
export type Block = TranslatedBlock;
export type Instruction = Block['instructions'][number];
type Treatment = Instruction['treatment'];

/** What became of an instruction: for the legend, and for the title of its badge. */
export const TREATMENTS: Record<Treatment, string> = {
  same: translate('The same bytes: nothing in it is sensitive, and it may lie anywhere.'),
  relocated: translate('The same meaning at another place: what depends on where it lies was rewritten.'),
  'in-line': translate('Sensitive: answered by translated code, without leaving the guest.'),
  'call-out': translate('Sensitive: the translation calls the hypervisor, which does it.'),
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

type Position = Translated['position'];

/** The processor's next step in what is executed, in words. */
export function positionText({ kind, gva, hpa, text, to }: Position): string {
  const at =
    hpa === undefined
      ? ''
      : ` ${translate('at {0}', `hp:0x${hpa.toString(16)}`)}${text === undefined ? '' : `, ${text}`}`;
  const where = to === undefined ? '' : translate(', which lies at {0}', `hp:0x${to.toString(16)}`);
  const words: Record<Position['kind'], string> = {
    instruction: translate('an instruction of the guest{0}', at),
    'in-line': translate('a sensitive instruction, answered in line{0}', at),
    'call-out': translate('a sensitive instruction, for which the hypervisor is called{0}', at),
    join: translate('a jump that joins two translations{0}{1}', at, where),
    stub: translate('a stub{0}: the hypervisor translates the code at {1}', at, `gv:${gva}`),
    lookup: translate('an indirect branch to {0}: its translation is looked up{1}', `gv:${gva}`, where),
    untranslated: translate('{0} is not translated: the hypervisor does that first', `gv:${gva}`),
    direct: translate('this code runs as it is, untranslated'),
  };
  return translate('Next: {0}.', words[kind]);
}

/** How full the cache is and what has become of blocks. */
export function cacheText({ cache }: Translated): string {
  const { blocks, instructions, invalidated, flushed } = cache.counts;
  const number = (value: number): string => value.toLocaleString('en-US');
  const parts = [
    translate('{0} blocks of {1} instructions translated', number(blocks), number(instructions)),
    translate('{0} of {1} KiB in use', number(Math.ceil(cache.used / 1024)), number(cache.bytes / 1024)),
    translate('{0} void because the guest wrote there', number(invalidated)),
    translate('{0} flushes', number(flushed)),
  ];
  return parts.join(' · ');
}
