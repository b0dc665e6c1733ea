import assert from 'node:assert/strict';
import type { Type } from '../../../debug-adapter/symbols/api';
import { typeName } from '../../../debug-adapter/symbols/type-names';

const char: Type = { kind: 'base', name: 'char', bytes: 1, encoding: 'char' };
const qualified = (qualifier: string, to: Type): Type => ({ kind: 'qualified', name: '', qualifier, bytes: to.bytes, to: () => to }); // prettier-ignore
const pointer = (to: Type): Type => ({ kind: 'pointer', name: '', bytes: 8, to: () => to });
const array = (of: Type, count: number): Type => ({ kind: 'array', name: '', bytes: of.bytes * count, of: () => of, count }); // prettier-ignore
const constant = (to: Type): Type => qualified('const', to);

describe('names of types', () => {
  for (const [type, declarator, expected] of [
    [constant(char), '', 'const char'],
    [constant(constant(char)), '', 'const char'],
    [constant(array(constant(char), 8)), 'magic', 'const char magic[8]'],
    [constant(array(char, 8)), '', 'const char[8]'],
    [constant(array(array(constant(char), 2), 3)), '', 'const char[3][2]'],
    [qualified('volatile', constant(qualified('volatile', char))), '', 'volatile const char'],
    [constant(pointer(constant(char))), 'p', 'const char *const p'],
    [constant(constant(pointer(char))), 'p', 'char *const p'],
    [constant(array(pointer(constant(char)), 4)), 'names', 'const char *const names[4]'],
    [constant(array(constant(pointer(constant(char))), 4)), 'names', 'const char *const names[4]'],
  ] as const)
    it(expected, () => assert.equal(typeName(type, declarator), expected));
});
