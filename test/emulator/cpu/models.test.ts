import assert from 'node:assert/strict';
import { UserError } from '../../../emulator/util/assert';
import { FEATURES, RESTS_ON, WORKS } from '../../../emulator/cpu/features';
import { DEFAULT_MODEL, MODEL_NAMES, makeModel } from '../../../emulator/cpu/models';

/** What `--cpu TEXT` makes: features that are there and not. */
const check = (text: string, there: readonly string[], absent: readonly string[]): void => {
  const model = makeModel(text);
  for (const feature of there) assert.ok(model.has(feature), `${text} has ${feature}`);
  for (const feature of absent) assert.ok(!model.has(feature), `${text} has no ${feature}`);
};

const ROWS: readonly [text: string, there: readonly string[], absent: readonly string[]][] = [
  ['core2', ['ssse3', 'cx16', 'lm'], ['rdtscp', 'x2apic', 'tsc-deadline', 'pcid', 'smap']],
  ['nehalem', ['rdtscp', 'popcnt', 'invariant-tsc'], ['pcid', 'fsgsbase']],
  ['haswell', ['pcid', 'invpcid', 'x2apic', 'fsgsbase', 'smep', 'tsc-deadline'], ['smap', 'umip']],
  ['max', ['smap', 'umip', 'pdpe1gb', 'pcid'], ['hypervisor', 'mmxext', 'vme']],
  ['epyc', ['mmxext', 'smap', 'fsgsbase'], ['pcid', 'x2apic', 'tsc-deadline']],
  ['pentium3', ['sse', 'pae', 'pge'], ['sse2', 'lm', 'nx', 'syscall']],
  ['core2,+smap,-cx16', ['smap'], ['cx16']],
  // What rests on a feature goes with it, what a feature rests on comes with it.
  ['max,-pcid', [], ['pcid', 'invpcid']],
  ['max,-sse2', ['sse'], ['sse2', 'ssse3', 'lm', 'pcid']],
  ['pentium3,+x2apic', ['x2apic'], ['lm']],
  ['max, -smap , +smap', ['smap'], []],
];

describe('processor models', () => {
  for (const row of ROWS) it(row[0], () => check(...row));

  it('every name of a model works, and says what it lacks', () => {
    for (const name of MODEL_NAMES) {
      const { lacking, has } = makeModel(name);
      for (const feature of lacking) assert.ok(!has(feature) && feature in FEATURES);
    }
    assert.deepEqual(makeModel(DEFAULT_MODEL).lacking, []);
  });

  it('what works rests on what works', () => {
    for (const name of WORKS)
      for (const below of RESTS_ON[name] ?? []) assert.ok(WORKS.includes(below), `${name} needs ${below}`);
  });
  it('the list of what works names each feature once', () => assert.equal(new Set(WORKS).size, WORKS.length));

  const wrong: readonly [string, RegExp][] = [
    ['pentium9', /no model "pentium9"; give one of max, .*epyc/],
    ['toString', /no model "toString"/],
    ['max,+teleport', /no feature "teleport"; give one of fpu/],
    ['max,pcid', /"pcid" is neither/],
    ['max,+', /"\+" is neither/],
    ['max,+vme', /lacks the feature "vme"/],
  ];
  for (const [text, message] of wrong)
    it(`${text} is refused`, () =>
      assert.throws(
        () => makeModel(text),
        (e) => e instanceof UserError && message.test(e.message),
      ));
});
