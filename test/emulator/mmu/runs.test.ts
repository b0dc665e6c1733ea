/** Runs of an address space against the processor's own walk of the same tables, which are made at random. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Mapping } from '../../../emulator/machine/api';
import { emptyContext, formatOf } from '../../../emulator/mmu/guest-paging';
import type { PagingContext } from '../../../emulator/mmu/guest-paging';
import { translate } from '../../../emulator/mmu/inspect';
import { PhysicalMemory } from '../../../emulator/mmu/physical-memory';
import { mappings, RunList } from '../../../emulator/mmu/runs';

const RAM_BYTES = 1 << 20;
/** One page each, from 0 on; those of a level lead to those of the next. */
const TABLES_PER_LEVEL = 3;
const ROUNDS = 20;

type Kind = '2-level' | 'PAE' | '4-level';

/** xorshift32: the same tables every time. */
function generator(seed: number): (bound: number) => number {
  let s = seed;
  return (bound) => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return (s >>> 0) % bound;
  };
}

describe('runs of an address space', () => {
  const physical = new PhysicalMemory(new WebAssembly.Memory({ initial: RAM_BYTES / 65536 }), RAM_BYTES, 0);

  /** Few entries a table, most of them beside each other, so that there are runs and their ends. */
  function build(kind: Kind, random: (bound: number) => number): PagingContext {
    const format = formatOf(true, kind !== '2-level', kind === '4-level', { nxe: true, pse: true, gigabytePages: true });
    const paging: PagingContext = { ...emptyContext(), format, root: 0, writeProtect: true };
    physical.words.fill(0, 0, (format.levels.length * TABLES_PER_LEVEL * 4096) / 4);
    format.levels.forEach((level, depth) => {
      for (let n = 0; n < TABLES_PER_LEVEL; n++) {
        const [words, at] = level.registers ? [paging.pdptes, 0] : [physical.words, ((depth * TABLES_PER_LEVEL + n) * 4096) / 4];
        let index = random(8);
        for (let entries = level.last ? 200 : 5; entries > 0 && index <= level.indexMask; entries--) {
          const leaf = level.last || (level.large && random(3) === 0);
          const next = (((depth + 1) * TABLES_PER_LEVEL + random(TABLES_PER_LEVEL)) << 12) | 7;
          const rights = level.registers ? 1 : random(9) ? 7 : random(8);
          const page = leaf ? (index << Math.min(level.shift, 20)) & -(1 << level.shift) : next & ~7;
          const stray = random(30) === 0 ? 1 << (12 + random(8)) : 0;
          const low = (page | rights | (leaf && !level.last ? 0x80 : 0) | stray) & (level.registers ? ~0x1e6 : -1);
          if (format.entryBytes === 4) words[at + index] = low;
          else [words[at + index * 2], words[at + index * 2 + 1]] = [low, random(20) || level.registers ? 0 : -0x8000_0000];
          index += random(12) ? 1 : 1 + random(200);
        }
      }
    });
    return paging;
  } // prettier-ignore

  for (const kind of ['2-level', 'PAE', '4-level'] as const)
    it(`${kind}: each is what walks say at its ends, none goes on in the next, and between them nothing is mapped`, () => {
      const random = generator(0xbeef + kind.length);
      let seen = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const paging = build(kind, random);
        const list = RunList.of(paging, physical);
        seen += list.length;
        const at = (gva: bigint) => translate(paging, physical, gva, { access: 'read', user: false });
        for (let i = 0; i < list.length; i++) {
          const run = list.at(i);
          for (const offset of [0n, run.size - 1n]) {
            const { gpa, rights, pageBytes } = at(run.gva + offset);
            const { write, user, execute } = run;
            assert.deepEqual([gpa, pageBytes, rights], [run.gpa + Number(offset), run.pageBytes, { write, user, execute }]);
            assert.equal(list.indexOf(run.gva + offset), i);
          }
          const next = i + 1 < list.length ? list.at(i + 1) : undefined;
          const end = run.gva + run.size;
          if (next?.gva !== end) assert.equal(at(BigInt.asUintN(kind === '4-level' ? 64 : 32, end)).gpa, undefined);
          else assert.notDeepEqual({ ...next, size: 0n }, { ...run, gva: end, gpa: run.gpa + Number(run.size), size: 0n });
        }
        // In pages, and by search: the same runs.
        const all = Array.from({ length: list.length }, (_, i) => list.at(i));
        assert.deepEqual(mappings(paging, physical, 0n, 7), all.slice(0, 7));
        for (const search of [{ write: false }, { user: true, execute: false }, { target: all.at(-1)?.gpa ?? 0 }]) {
          const fits = ({ write, user, execute, gpa, size }: (typeof all)[number]): boolean =>
            'target' in search
              ? search.target! >= gpa && search.target! < gpa + Number(size)
              : Object.entries(search).every(([right, is]) => ({ write, user, execute })[right] === is);
          assert.deepEqual([...list.matching(search)].map((i) => list.at(i)), all.filter(fits));
        }
      }
      assert.ok(seen > 1000, `${seen} runs`);
    }); // prettier-ignore

  for (const kind of ['2-level', 'PAE', '4-level'] as const)
    it(`${kind}: what is mapped otherwise than before is what the lists say at each of their ends`, () => {
      const random = generator(0xcafe + kind.length);
      let parts = 0;
      for (let round = 0; round < 4; round++) {
        const paging = build(kind, random);
        const before = RunList.of(paging, physical);
        const words = paging.format.levels.length * TABLES_PER_LEVEL * 1024;
        for (let n = 0; n < 200; n++) physical.words[random(words / 2) * 2] ^= 1 << random(13);
        const now = RunList.of(paging, physical);
        const [added, removed] = [now.missingIn(before, Infinity), before.missingIn(now, Infinity)];
        parts += added.length;
        const runs = (list: RunList) => Array.from({ length: list.length }, (_, i) => list.at(i));
        const ends = [...runs(before), ...runs(now)].flatMap(({ gva, size }) => [gva, gva + size]);
        /** Where an address leads, and how; undefined: nowhere. */
        const leads = (list: readonly Mapping[], gva: bigint): unknown => {
          const found = list.find((run) => run.gva <= gva && gva < run.gva + run.size);
          return found && { ...found, gva: 0, size: 0, gpa: found.gpa + Number(gva - found.gva) };
        };
        const [old, fresh] = [runs(before), runs(now)];
        for (const gva of new Set(ends)) {
          const [was, is] = [leads(old, gva), leads(fresh, gva)];
          const same = isDeepStrictEqual(was, is);
          assert.deepEqual(leads(added, gva), same ? undefined : is);
          assert.deepEqual(leads(removed, gva), same ? undefined : was);
        }
        assert.deepEqual(now.missingIn(before, 1), added.slice(0, 1));
        assert.deepEqual(now.missingIn(now, 1), []);
      }
      assert.ok(parts > 20, `${parts} parts`);
    }); // prettier-ignore
});
