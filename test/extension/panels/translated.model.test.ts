import assert from 'node:assert/strict';
import {
  cacheText,
  hexBytes,
  indexOf,
  positionText,
  waysOut,
  type Block,
  type Instruction,
} from '../../../extension/panels/translated.model';

const line = (gva: string, more: Partial<Instruction> = {}): Instruction => ({
  gva,
  text: 'cli',
  bytes: [0xfa],
  treatment: 'in-line',
  translated: [{ hpa: 0x5000, text: 'push rax', bytes: [0x50] }],
  ...more,
});
const block = (links: Block['links'] = []): Block => ({
  gva: '0x1000',
  hpa: 0x5000,
  bytes: 16,
  mappedAt: '0xffff900000005000',
  alive: true,
  instructions: [line('0x1000'), line('0x1001', { text: 'ret', place: 'main+0x1' })],
  links,
});

describe('translated-code view: what it computes', () => {
  it('finds the line of an address', () => {
    assert.deepEqual(['0x1000', '0x1001', '0x2000', undefined].map((gva) => indexOf(block(), gva)), [0, 1, -1, -1]); // prettier-ignore
    assert.equal(indexOf(undefined, '0x1000'), -1);
  });

  const link = (gva: string, to: number, chained: boolean): Block['links'][number] => ({ hpa: 0, gva, to, chained });
  const WAYS: [name: string, links: Block['links'], ways: [gva: string, hpa: number | undefined][]][] = [
    ['none', [], []],
    ['a stub', [link('0x2000', 0x5100, false)], [['0x2000', undefined]]],
    ['a chained one', [link('0x2000', 0x6000, true)], [['0x2000', 0x6000]]],
    ['two to one place: the chained one counts', [link('0x2000', 0x5100, false), link('0x2000', 0x6000, true)], [['0x2000', 0x6000]]],
    ['in either order', [link('0x2000', 0x6000, true), link('0x2000', 0x5100, false)], [['0x2000', 0x6000]]],
  ]; // prettier-ignore
  for (const [name, links, ways] of WAYS)
    it(`ways out of a block: ${name}`, () => {
      assert.deepEqual(waysOut(block(links)).map(({ gva, hpa }) => [gva, hpa]), ways); // prettier-ignore
    });

  it('bytes and the state of the cache', () => {
    assert.equal(hexBytes([0xfa, 0x0f]), 'fa 0f');
    const position = { kind: 'stub', gva: '0x2000', rip: '0x9000', hpa: 0x5000, text: 'push rax' } as const;
    assert.match(positionText(position), /^Next: a stub at hp:0x5000, push rax: .* gv:0x2000\.$/);
    assert.match(positionText({ kind: 'direct', gva: '0x1', rip: '0x1' }), /runs as it is/);
    const cache = { hpa: 0, bytes: 1 << 20, used: 1500, counts: { blocks: 12, instructions: 3400, invalidated: 1, flushed: 0 } }; // prettier-ignore
    assert.match(
      cacheText({ gva: '0x0', blocks: [], cache, text: '', position }),
      /^12 blocks of 3,400 instructions.*2 of 1,024 KiB/,
    );
  });
});
