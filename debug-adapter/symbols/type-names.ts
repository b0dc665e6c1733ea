/** Types as C writes them: `char *[4]`, `int (*)(struct a *, ...)`. */
import type { Type } from './api';

/** Deeper than any sane declaration: damaged files can make rings. */
const DEEPEST = 24;

/** Parts of a name: a function whose parameters are like itself has more at each level. */
const MOST_PARTS = 500;

/** The type's name around `declarator`, which is empty for the bare type. */
export const typeName = (type: Type, declarator = '', depth = 0, made = { parts: 0 }): string => {
  if (depth > DEEPEST || ++made.parts > MOST_PARTS) return '...';
  switch (type.kind) {
    case 'pointer': {
      const to = type.to();
      const mark = type.reference ?? '*';
      const inner = to.kind === 'array' || to.kind === 'function' ? `(${mark}${declarator})` : `${mark}${declarator}`;
      return typeName(to, inner, depth + 1, made);
    }
    case 'array':
      return typeName(type.of(), `${declarator}[${type.count ?? ''}]`, depth + 1, made);
    case 'function': {
      const parameters = type.parameters().map((p) => typeName(p, '', depth + 1, made));
      if (type.variadic) parameters.push('...');
      else if (parameters.length === 0) parameters.push('void');
      return typeName(type.returns(), `${declarator}(${parameters.join(', ')})`, depth + 1, made);
    }
    case 'qualified': {
      const qualifiers = [type.qualifier];
      let to = type.to();
      for (let i = depth; to.kind === 'qualified' && i < DEEPEST; i++, to = to.to())
        if (!qualifiers.includes(to.qualifier)) qualifiers.push(to.qualifier);
      const words = qualifiers.join(' ');
      if (to.kind === 'pointer') return typeName(to, declarator ? `${words} ${declarator}` : words, depth + 1, made);
      // What qualifies an array is its elements' (C11 6.7.3), and compilers write down both.
      if (to.kind === 'array') {
        const element = qualifiers.reduceRight<Type>((of, qualifier) => ({ kind: 'qualified', name: '', qualifier, bytes: of.bytes, to: () => of }), to.of()); // prettier-ignore
        return typeName({ ...to, of: () => element }, declarator, depth + 1, made);
      }
      return `${words} ${typeName(to, declarator, depth + 1, made)}`;
    }
    case 'struct':
    case 'union':
    case 'class':
    case 'enum': {
      const name = type.tag === '' ? `${type.kind} {...}` : `${type.kind} ${type.tag}`;
      return around(name, declarator);
    }
    default:
      return around(type.name, declarator);
  }
};
const around = (name: string, declarator: string): string =>
  declarator === '' ? name : declarator.startsWith('[') ? `${name}${declarator}` : `${name} ${declarator}`;
