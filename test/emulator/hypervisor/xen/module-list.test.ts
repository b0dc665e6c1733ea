/** The list reads as xen.h describes struct xen_multiboot_mod_list. */
import assert from 'node:assert/strict';
import { moduleList } from '../../../../emulator/hypervisor/xen/module-list';

const PAGE = 4096;
const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => i + count);

describe('list of modules', () => {
  for (const files of [
    [],
    [{ name: 'one', bytes: bytes(3) }],
    [
      { name: 'exec $(task-create)', bytes: bytes(PAGE + 1) },
      { name: '', bytes: bytes(PAGE) },
      { name: 'c', bytes: bytes(1) },
    ],
    // Command lines that fill more than the first page.
    [{ name: 'x'.repeat(2 * PAGE), bytes: bytes(7) }],
  ])
    it(`of ${files.length} (${files.map(({ name }) => name.slice(0, 20)).join(', ')})`, () => {
      const list = moduleList(files);
      const view = new DataView(list.buffer);
      const entry = (i: number): number[] => [0, 4, 8, 12].map((at) => view.getUint32(i * 16 + at, true));
      files.forEach((file, i) => {
        const [start, last, line, pad] = entry(i) as [number, number, number, number];
        assert.equal(start % PAGE, 0);
        assert.deepEqual(list.slice(start, last + 1), file.bytes);
        assert.equal(new TextDecoder().decode(list.subarray(line, list.indexOf(0, line))), file.name);
        assert.equal(pad, 0);
      });
      assert.deepEqual(entry(files.length), [0, 0, 0, 0], 'its end');
      assert.equal(list.length % PAGE, 0);
    });
});
