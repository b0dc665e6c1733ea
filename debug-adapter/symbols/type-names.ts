/** Types as C writes them: `char *[4]`, `int (*)(struct a *, ...)`. */
import type { Type } from './api';

/** Deeper than any sane declaration: damaged files can make rings. */
const DEEPEST = 24;

/** The type's name around `declarator`, which is empty for the bare type. */
export const typeName = (type: Type, declarator = '', depth = 0): string => {
  if (depth > DEEPEST) return '...';
  switch (type.kind) {
    case 'pointer': {
      const to = type.to();
      const mark = type.reference ?? '*';
      const inner = to.kind === 'array' || to.kind === 'function' ? `(${mark}${declarator})` : `${mark}${declarator}`;
      return typeName(to, inner, depth + 1);
    }
    case 'array':
      return typeName(type.of(), `${declarator}[${type.count ?? ''}]`, depth + 1);
    case 'function': {
      const parameters = type.parameters().map((p) => typeName(p, '', depth + 1));
      if (type.variadic) parameters.push('...');
      else if (parameters.length === 0) parameters.push('void');
      return typeName(type.returns(), `${declarator}(${parameters.join(', ')})`, depth + 1);
    }
    case 'qualified': {
      const to = type.to();
      if (to.kind === 'pointer')
        return typeName(to, declarator ? `${type.qualifier} ${declarator}` : type.qualifier, depth + 1);
      return `${type.qualifier} ${typeName(to, declarator, depth + 1)}`;
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
