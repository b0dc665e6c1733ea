/** Kernels whose notes lie: the domain builder says which one, and nothing else happens. */
import assert from 'node:assert/strict';
import { Domains } from '../../../../emulator/machine/domains';
import { UserError } from '../../../../emulator/util/assert';
import { BASE, kernel } from './pv-guest';

const MIB = 0x10_0000;
/** Descriptions of the notes in that image. */
const NOTE = { base: 0x2028, entry: 0x2040, page: 0x2058 } as const;

describe('the builder of paravirtualised domains', () => {
  const rows: readonly [what: string, notes: Partial<Record<keyof typeof NOTE, bigint>>, append: string, says: RegExp][] = [
    ['a hypercall page that begins in the last page', { page: BASE[8] + BigInt(8 * MIB) - 1n }, '', /hypercall page/],
    ['an entry point that is nowhere', { entry: 0x1000n }, '', /entry point/],
    ['a base in the hypervisor', { base: 0xffff_8000_0000_0000n, entry: 0xffff_8000_0000_0000n, page: 0xffff_8000_0000_1000n }, '', /base, gv:0xffff800000000000,/],
    ['a base that is no page', { base: BASE[8] + 8n, entry: BASE[8] + 8n, page: BASE[8] + 0x1008n }, '', /base, gv:/],
    ['a base at the end of all', { base: 0xffff_ffff_ffff_f000n, entry: 0xffff_ffff_ffff_f000n, page: 0x1_0000_0000_0000_0000n - 1n }, '', /base|hypercall page/],
    ['a command line of more bytes than there is room for', {}, '€'.repeat(400), /command line has 1200/],
  ]; // prettier-ignore
  for (const [what, notes, append, says] of rows)
    it(`${what} is a mistake of the user’s`, () => {
      const domains = new Domains([{ name: 'd', memory: 8 * MIB, cpus: 1, technique: 'paravirtual' }]);
      const file = kernel(8, [0xeb, 0xfe]);
      const view = new DataView(file.buffer);
      for (const [note, value] of Object.entries(notes))
        view.setBigUint64(NOTE[note as keyof typeof NOTE], value, true);
      const boot = (): void => domains.boot(domains.all[0]!.id, { name: 'kernel', kernel: file, append });
      assert.throws(boot, (error) => error instanceof UserError && says.test(error.message));
    });
});
