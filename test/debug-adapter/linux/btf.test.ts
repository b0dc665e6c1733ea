/** Types from BTF: made by the test with known answers, and damaged. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Btf, BTF } from '../../../debug-adapter/symbols/btf';
import { BtfTypes } from '../../../debug-adapter/symbols/btf-types';
import type { Type } from '../../../debug-adapter/symbols/api';
import { typeName } from '../../../debug-adapter/symbols/type-names';
import { BtfBuilder } from './btf-image';

const [SIGNED, BOOL] = [1, 4];

function build(): { types: BtfTypes; builder: BtfBuilder; bytes: Uint8Array } {
  const builder = new BtfBuilder();
  const int = builder.int('int', 4, SIGNED);
  const char = builder.int('char', 1, SIGNED);
  const long = builder.int('long unsigned int', 8);
  builder.int('_Bool', 1, BOOL);
  const comm = builder.type(BTF.ARRAY, '', 0, [char, int, 16]);
  const forward = builder.type(BTF.FWD, 'mm_struct', 0);
  const mm = builder.pointer(forward);
  const pid = builder.type(BTF.TYPEDEF, 'pid_t', int);
  const task = builder.struct('task_struct', 64, [['pid', pid, 0], ['comm', comm, 64], ['mm', mm, 256], ['self', 12, 320]]); // prettier-ignore
  builder.struct('mm_struct', 8, [['pgd', long, 0]]);
  builder.struct('flags', 4, [['low', int, 0, 3], ['high', int, 3, 29]]); // prettier-ignore
  builder.pointer(task);
  const konst = builder.type(BTF.CONST, '', char);
  const text = builder.pointer(konst);
  builder.enumeration('colour', [['RED', 1], ['BLUE', -2 >>> 0]]); // prettier-ignore
  builder.function('do_open', long, [['dfd', int], ['name', text], ['', 0]]); // prettier-ignore
  const variable = builder.type(BTF.VAR, 'current_task', 12, [1]);
  builder.type(BTF.DATASEC, '.data..percpu', 0, [variable, 0, 8], 1);
  const bytes = builder.bytes();
  return { types: new BtfTypes(Btf.read(bytes)!, 8), builder, bytes };
}

const member = (type: Type | undefined, name: string) =>
  type?.kind === 'struct' ? type.members().find((each) => each.name === name) : undefined;

describe('BTF', () => {
  const { types, builder, bytes } = build();

  const named: [name: string, kind: string, size: number][] = [
    ['struct task_struct', 'struct', 64],
    ['task_struct', 'struct', 64],
    ['pid_t', 'typedef', 4],
    ['int', 'base', 4],
    ['enum colour', 'enum', 4],
  ];
  for (const [name, kind, size] of named)
    it(`knows ${name}`, () => {
      const type = types.named(name);
      assert.deepEqual([type?.kind, type?.bytes], [kind, size]);
    });

  it('gives members their places, also in bits', () => {
    const task = types.named('struct task_struct');
    assert.deepEqual(member(task, 'comm')?.offset, 8);
    assert.equal(typeName(member(task, 'comm')!.type), 'char [16]'.replace(' ', ''));
    assert.equal(typeName(member(task, 'self')!.type), 'struct task_struct *');
    const { offset, bitOffset, bitSize } = member(types.named('struct flags'), 'high')!;
    assert.deepEqual([offset, bitOffset, bitSize], [0, 3, 29]);
  });
  it('finds the definition behind a declaration', () => {
    const pointer = member(types.named('struct task_struct'), 'mm')!.type;
    assert.equal(pointer.kind === 'pointer' && pointer.to().bytes, 8);
  });
  it('reads enumerations', () => {
    assert.deepEqual(types.enumerator('BLUE')?.value, -2n);
    assert.equal(types.enumerator('GREEN'), undefined);
  });
  it('reads functions and variables', () => {
    const { parameters, returns, variadic } = types.function('do_open')!;
    const shown = parameters.map(({ name, type }) => `${name}: ${typeName(type)}`);
    assert.deepEqual([shown, typeName(returns), variadic], [['dfd: int', 'name: const char *'], 'long unsigned int', true]);
    assert.equal(typeName(types.variable('current_task')!), 'struct task_struct *');
    assert.deepEqual([...types.variablesIn('.data..percpu')], ['current_task']);
  }); // prettier-ignore

  it("continues vmlinux's with a module's", () => {
    const own = new BtfBuilder(builder.sizes);
    own.struct('loop_device', 16, [['task', 12, 0], ['number', 1, 64]]); // prettier-ignore
    const module = new BtfTypes(Btf.read(own.bytes(), types.btf)!, 8);
    const device = module.named('struct loop_device');
    assert.equal(typeName(member(device, 'task')!.type), 'struct task_struct *');
    assert.equal(module.named('pid_t')?.bytes, 4);
  });

  it('survives any damage', () => {
    const walk = (type: Type | undefined, depth: number): void => {
      if (!type || depth > 4) return;
      void type.name;
      if (type.kind === 'struct' || type.kind === 'union') for (const each of type.members().slice(0, 20)) walk(each.type, depth + 1); // prettier-ignore
      if (type.kind === 'pointer' || type.kind === 'typedef' || type.kind === 'qualified') walk(type.to(), depth + 1);
      if (type.kind === 'array') walk(type.of(), depth + 1);
      if (type.kind === 'enum') type.values();
    };
    const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 12 });
    fc.assert(
      fc.property(damage, fc.nat(bytes.length), (places, length) => {
        const copy = bytes.slice(0, length < 24 ? undefined : Math.max(length, bytes.length - 40));
        for (const [at, value] of places) if (at < copy.length) copy[at] = value;
        const btf = Btf.read(copy);
        if (!btf) return;
        const damaged = new BtfTypes(btf, 8);
        for (let id = 0; id < Math.min(btf.end, 40); id++) walk(damaged.at(id), 0);
        damaged.function('do_open');
        damaged.enumerator('RED');
      }),
    );
  });
});
