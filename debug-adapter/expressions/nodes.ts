/** Compiled parts of expressions, and what can be done with any of them. */
import { UserError } from '../../emulator/util/assert';
import type { Type } from '../symbols/api';
import { arithmeticOf, bare, INT, longType, pointerTo } from './c-types';
import { ExpressionError } from './errors';
import type { Read } from './operators';
import type { Scope } from './scope';
import { loadScalar, type Place, type Scalar, type Space } from './values';

/** A compiled part. `read` exists for scalars, `place` for what lies somewhere. */
export interface Node {
  type: Type;
  column: number;
  read?: Read;
  text?: () => Scalar;
  place?: () => Place;
  /** The space that a pointer points into. */
  space: Space;
}

/** What every kind of expression needs: places and values, scalars, truth, pointers that are added to. */
export class Nodes {
  constructor(protected readonly scope: Scope) {}

  protected rvalue(type: Type, read: Read, column: number, space: Space = 'gv'): Node {
    return { type, read, column, space };
  }
  /** Something at a place: its value is read there. */
  protected lvalue(type: Type, place: () => Place, column: number, space: Space = 'gv'): Node {
    const { scope } = this;
    const scalar = arithmeticOf(type) ? { read: () => loadScalar(scope, type, place()) as bigint | number } : {};
    return { type, place, column, space, ...scalar };
  }

  /** A scalar to compute with: arrays and functions as the pointers that they become (6.3.2.1). */
  protected scalar(node: Node): Node & { read: Read } {
    if (node.read) return node as Node & { read: Read };
    const type = bare(node.type);
    const { place } = node;
    if (place && (type.kind === 'array' || type.kind === 'function')) {
      const to = type.kind === 'array' ? type.of() : type;
      const read = (): bigint => {
        const at = place();
        if (at.kind !== 'memory') throw new UserError(`The ${type.kind} is not in memory and has no address.`);
        return at.address;
      };
      return { type: pointerTo(to, this.scope.pointerBytes), read, column: node.column, space: node.space };
    }
    if (node.text) {
      const { text, column } = node;
      const read = (): bigint => {
        const value = text();
        if (typeof value === 'bigint') return value;
        throw new UserError(
          value === undefined
            ? `Column ${column}: the name has no value at this stop.`
            : `Column ${column}: text is no number.`,
        );
      };
      return { ...node, read };
    }
    throw new ExpressionError(node.column, `a value of type ${node.type.name} is no number`);
  }
  protected truth(node: Node): () => boolean {
    if (node.text && !node.read) {
      const { text } = node;
      return () => Boolean(text());
    }
    const { read } = this.scalar(node);
    return () => {
      const value = read();
      return value !== 0n && value !== 0;
    };
  }

  protected textComparison(operator: string, left: Node, right: Node, column: number): Node {
    const { synonym = (text) => text } = this.scope;
    const value = (node: Node): (() => Scalar) => {
      const { text } = node;
      if (!text) return this.scalar(node).read;
      return () => {
        const read = text();
        return typeof read === 'string' ? synonym(read) : read;
      };
    };
    const [a, b] = [value(left), value(right)];
    const wanted = operator === '==';
    // The stop's numbers are unsigned 64-bit: `trap.address == -1` means the highest address.
    const same = (x: Scalar, y: Scalar): boolean =>
      typeof x === 'bigint' && typeof y === 'bigint'
        ? BigInt.asUintN(64, x) === BigInt.asUintN(64, y)
        : x !== undefined && x === y;
    return this.rvalue(INT, () => (same(a(), b()) === wanted ? 1n : 0n), column);
  }
  /** `p + n`, `n + p`, `p - n`, `p - q`; undefined where no pointer is involved or they are compared. */
  protected pointerArithmetic(
    operator: string,
    a: Node & { read: Read },
    b: Node & { read: Read },
    column: number,
  ): Node | undefined {
    if (operator !== '+' && operator !== '-') return undefined;
    const [p, q] = [bare(a.type), bare(b.type)];
    if (p.kind !== 'pointer' && q.kind !== 'pointer') return undefined;
    const bits = this.scope.pointerBytes * 8;
    const size = (pointer: Type): bigint => BigInt(pointer.kind === 'pointer' ? pointer.to().bytes || 1 : 1);
    if (p.kind === 'pointer' && q.kind === 'pointer') {
      if (operator === '+') throw new ExpressionError(column, 'two pointers cannot be added');
      const scale = size(p);
      return this.rvalue(
        longType(this.scope.pointerBytes, true),
        () => BigInt.asIntN(bits, (a.read() as bigint) - (b.read() as bigint)) / scale,
        column,
      );
    }
    if (p.kind !== 'pointer' && operator === '-')
      throw new ExpressionError(column, 'a pointer cannot be subtracted from a number');
    const [pointer, number] = p.kind === 'pointer' ? [a, b] : [b, a];
    const scale = size(bare(pointer.type));
    if (arithmeticOf(number.type)?.kind !== 'integer')
      throw new ExpressionError(column, 'only integers can be added to a pointer');
    const [base, count] = [pointer.read as () => bigint, number.read as () => bigint];
    const width = pointer.space === 'gv' ? bits : 64;
    const read =
      operator === '+'
        ? () => BigInt.asUintN(width, base() + count() * scale)
        : () => BigInt.asUintN(width, base() - count() * scale);
    return this.rvalue(pointer.type, read, column, pointer.space);
  }
}
