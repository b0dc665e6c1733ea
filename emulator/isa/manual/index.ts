/** What each mnemonic of the rows does, in words. Complete: a test asks for every one of them. */
import { GENERAL } from './general';
import { SYSTEM, UNIMPLEMENTED } from './system';
import { vectorText } from './vector';
import { x87Text } from './x87';

/** SDM vol. 1 appendix B: what is true when the condition holds. */
export const CONDITIONS: Readonly<Record<string, string>> = {
  o: 'overflow (OF = 1)', no: 'no overflow (OF = 0)', b: 'unsigned below, or carry (CF = 1)', ae: 'unsigned above or equal, or no carry (CF = 0)', e: 'equal, or zero (ZF = 1)', ne: 'not equal, or not zero (ZF = 0)',
  be: 'unsigned below or equal (CF or ZF)', a: 'unsigned above (neither CF nor ZF)', s: 'negative (SF = 1)', ns: 'not negative (SF = 0)', p: 'parity even, or unordered (PF = 1)', np: 'parity odd, or ordered (PF = 0)',
  l: 'signed less (SF differs from OF)', ge: 'signed greater or equal (SF equals OF)', le: 'signed less or equal (ZF, or SF differs from OF)', g: 'signed greater (not ZF, and SF equals OF)',
}; // prettier-ignore
const FLOAT_CONDITIONS: Readonly<Record<string, string>> = {
  b: 'below (CF = 1)', e: 'equal (ZF = 1)', be: 'below or equal (CF or ZF)', u: 'unordered (PF = 1)', nb: 'not below (CF = 0)', ne: 'not equal (ZF = 0)', nbe: 'not below or equal', nu: 'ordered (PF = 0)',
}; // prettier-ignore

const own = (table: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** One or two sentences; undefined for what is no mnemonic of the manual's, or is not told here. */
export function describeMnemonic(name: string): string | undefined {
  const [, verb, condition] = /^(j|set|cmov|fcmov)(n?[a-z]{1,3})$/.exec(name) ?? [];
  const when = verb === 'fcmov' ? own(FLOAT_CONDITIONS, condition) : condition && own(CONDITIONS, condition);
  if (when && verb === 'j') return `Jumps if ${when}.`;
  if (when && verb === 'set') return `The byte becomes 1 if ${when}, else 0.`;
  if (when) return `Copies the source if ${when}.`;
  return own(GENERAL, name) ?? own(SYSTEM, name) ?? x87Text(name) ?? vectorText(name) ?? own(UNIMPLEMENTED, name);
}
