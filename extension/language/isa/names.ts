/** Mnemonics that are offered: those of the rows, as each assembler spells them. */
import type { Dialect } from '../syntax/tree';
import { BY_MNEMONIC, readingsOf } from './readings';
import { CONDITION_SYNONYMS, GNU_SYNONYMS, SYNONYMS } from './spellings';

const cache = new Map<Dialect, readonly string[]>();

/** In AT&T syntax with the suffixes that fit, where there is a size to choose. */
export function mnemonicsOf(dialect: Dialect): readonly string[] {
  const known = cache.get(dialect);
  if (known) return known;
  const gnu = dialect !== 'nasm';
  const candidates = new Set([
    ...BY_MNEMONIC.keys(),
    ...Object.keys(SYNONYMS),
    ...(gnu ? Object.keys(GNU_SYNONYMS) : []),
  ]);
  for (const condition of Object.keys(CONDITION_SYNONYMS))
    for (const verb of ['j', 'set', 'cmov']) candidates.add(verb + condition);
  if (dialect === 'att') {
    for (const [name, rows] of BY_MNEMONIC)
      if (!/^(v|j|set|cmov|p[a-z]{3})/.test(name) || /^(push|pop)/.test(name))
        for (const suffix of suffixes(rows.map(({ operands }) => operands))) candidates.add(name + suffix);
    for (const sign of ['s', 'z'])
      for (const sizes of ['bw', 'bl', 'bq', 'wl', 'wq', ...(sign === 's' ? ['lq'] : [])])
        candidates.add(`mov${sign}${sizes}`);
  }
  const result = [...candidates].filter((name) => readingsOf(name, dialect).length > 0).sort();
  cache.set(dialect, result);
  return result;
}

function suffixes(operands: string[]): string[] {
  const all = operands.join(' ');
  return [
    ...(/[EGMXYZ]b/.test(all) ? ['b'] : []),
    ...(/[EGMXYZ]v/.test(all) ? ['w', 'l', 'q'] : /[EGM]y|Gn/.test(all) ? ['l', 'q'] : []),
  ];
}
