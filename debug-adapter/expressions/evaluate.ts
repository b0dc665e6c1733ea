/**
 * Expressions compiled to closures: names are looked up and types decided once, so that a breakpoint's condition costs
 * little each time. What a name means is asked in this order: variable, enumeration constant, name of the stop
 * (`trap.vector`), register, symbol. `$name` is always a register.
 */
import { assert, UserError } from '../../emulator/util/assert';
import type { Type, Variable } from '../symbols/api';
import type { Target } from '../symbols/api';
import { arithmeticOf, bare, CHAR, commonType, DOUBLE, FLOAT, INT, INT128, LONG_LONG, longType, pointerTo, UNSIGNED, UNSIGNED_INT128, UNSIGNED_LONG_LONG, unsignedOfBytes } from './c-types'; // prettier-ignore
import { ExpressionError } from './errors';
import type { Token } from './lexer';
import { binaryOperator, converted, type Read, unaryOperator } from './operators';
import { parse, type Tree } from './parser';
import { convertTo, type Guest, loadScalar, type Place, placeInside, placeOf, readPlace, type Scalar, type Space, storeBytes, storeScalar, type Value } from './values'; // prettier-ignore

/** What the names of an expression mean, and the guest behind them. Lookups happen once, when compiling. */
export interface Scope extends Guest {
  readonly pointerBytes: 4 | 8;
  /** Visible at the place where the expression is evaluated. */
  variable?(name: string): Variable | undefined;
  /** The frame that variables are located in, and its pc: asked at each evaluation. */
  target?(): Target;
  pc?(): bigint;
  /** `struct page`, `u32`, `page`... */
  typeNamed?(name: string): Type | undefined;
  enumerator?(name: string): { value: bigint; type: Type } | undefined;
  /** By name, without `$`: also `cs.base`. `bytes` is its width; 1 for flags. */
  register?(name: string): { bytes: number; read: () => bigint } | undefined;
  symbol?(name: string): bigint | undefined;
  /**
   * `trap.vector`, `hitCount`, `exit.reason`: numbers or text. A name that exists but has no value now reads as
   * undefined, which is unequal to everything.
   */
  special?(name: string): (() => bigint | string | undefined) | undefined;
}

export interface Compiled {
  (): Value;
  readonly type: Type;
  /** For conditions: no object is made. Throws UserError as the whole does. */
  test(): boolean;
}

/** @throws ExpressionError (a UserError) with the column. The result throws UserError when it cannot be evaluated now. */
export const compile = (text: string, scope: Scope, options: { assign?: boolean } = {}): Compiled => {
  const node = new Compiler(scope, options.assign ?? false).compile(text);
  return finished(scope, node);
};

/** `target = value`, for edits: a UserError where `target` has no place or the value does not fit. Returns what is there then. */
export const compileAssignment = (target: string, value: string, scope: Scope): Compiled => {
  const compiler = new Compiler(scope, true);
  return finished(scope, compiler.assignment(compiler.compile(target), compiler.compile(value), 1));
};

/** A variable's value; what cannot be read says why. */
export const variableValue = (variable: Variable, scope: Scope): Value => {
  const node = new Compiler(scope, false).variable(variable);
  try {
    return finished(scope, node)();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { type: variable.type, value: undefined, unavailable: error.message };
  }
};

/** A compiled part. `read` exists for scalars, `place` for what lies somewhere. */
interface Node {
  type: Type;
  column: number;
  read?: Read;
  text?: () => Scalar;
  place?: () => Place;
  /** The space that a pointer points into. */
  space: Space;
}

const finished = (scope: Scope, node: Node): Compiled => {
  const { read, text, place, type } = node;
  const evaluate = (): Value => {
    if (text) return { type, value: text() };
    if (place) {
      const location = place();
      return { type, value: location.kind === 'register' ? read!() : loadScalar(scope, type, location), location };
    }
    return { type, value: read?.() };
  };
  const scalar = read ?? text;
  const test = scalar
    ? (): boolean => {
        const value = scalar();
        return value !== undefined && value !== 0n && value !== 0 && value !== '' && !Number.isNaN(value);
      }
    : (): boolean => {
        throw new UserError(`A value of type ${type.name} is neither true nor false.`);
      };
  return Object.assign(evaluate, { type, test });
};

class Compiler {
  constructor(
    private readonly scope: Scope,
    private readonly assign: boolean,
  ) {}

  compile(text: string): Node {
    const { scope } = this;
    const names = {
      pointerBytes: scope.pointerBytes,
      typeNamed: (name: string) => scope.typeNamed?.(name),
      isValue: (name: string) => name.startsWith('$') || scope.variable?.(name) !== undefined,
    };
    return this.node(parse(text, names));
  }

  private node(tree: Tree): Node {
    switch (tree.kind) {
      case 'integer':
      case 'float':
      case 'char':
      case 'string':
        return this.constant(tree.token);
      case 'name':
        return this.name(tree.name, tree.column);
      case 'space':
        return this.address(tree.space, this.node(tree.operand), tree.column);
      case 'unary':
        return this.unary(tree.operator, tree.operand, tree.column);
      case 'binary':
        return this.binary(tree.operator, this.node(tree.left), this.node(tree.right), tree.column);
      case 'ternary':
        return this.ternary(this.node(tree.condition), this.node(tree.then), this.node(tree.otherwise), tree.column);
      case 'assign': {
        const left = this.node(tree.left);
        const right = this.node(tree.right);
        const value = tree.operator === '' ? right : this.binary(tree.operator, left, right, tree.column);
        return this.assignment(left, value, tree.column);
      }
      case 'cast':
        return this.cast(tree.type, this.node(tree.operand), tree.column);
      case 'sizeof': {
        const bytes = BigInt((tree.type ?? this.node(tree.operand!).type).bytes);
        return this.rvalue(longType(this.scope.pointerBytes, false), () => bytes, tree.column);
      }
      case 'member':
        return this.member(tree);
      case 'index':
        return this.dereference(
          this.binary('+', this.node(tree.object), this.node(tree.index), tree.column),
          tree.column,
        );
    }
  }

  private rvalue(type: Type, read: Read, column: number, space: Space = 'gv'): Node {
    return { type, read, column, space };
  }
  /** Something at a place: its value is read there. */
  private lvalue(type: Type, place: () => Place, column: number, space: Space = 'gv'): Node {
    const { scope } = this;
    const scalar = arithmeticOf(type) ? { read: () => loadScalar(scope, type, place()) as bigint | number } : {};
    return { type, place, column, space, ...scalar };
  }

  private constant(token: Token): Node {
    const { column } = token;
    switch (token.kind) {
      case 'integer': {
        const { value } = token;
        return this.rvalue(literalType(token, this.scope.pointerBytes), () => value, column);
      }
      case 'float': {
        const value = token.single ? Math.fround(token.value) : token.value;
        return this.rvalue(token.single ? FLOAT : DOUBLE, () => value, column);
      }
      case 'char': {
        const { value } = token;
        return this.rvalue(INT, () => value, column);
      }
      default: {
        assert(token.kind === 'string', 'a constant is a number, a character or text');
        const { value } = token;
        return { type: { kind: 'array', name: `char[${value.length + 1}]`, bytes: value.length + 1, of: () => CHAR, count: value.length + 1 }, text: () => value, column, space: 'gv' }; // prettier-ignore
      }
    }
  }

  private name(name: string, column: number): Node {
    const { scope } = this;
    if (name.startsWith('$')) {
      const node = this.register(name.slice(1), column);
      if (!node) throw new ExpressionError(column, `no register is named "${name.slice(1)}"`);
      return node;
    }
    const variable = scope.variable?.(name);
    if (variable) return { ...this.variable(variable), column };
    const constant = scope.enumerator?.(name);
    if (constant) return this.rvalue(constant.type, () => constant.value, column);
    const node = this.special(name, column) ?? this.register(name, column);
    if (node) return node;
    const address = scope.symbol?.(name);
    if (address === undefined) throw new ExpressionError(column, `no variable, register or symbol is named "${name}"`);
    // A symbol without a type stands for its address, as a function does.
    const type: Type = { kind: 'function', name: 'void ()', bytes: 0, returns: () => ({ kind: 'void', name: 'void', bytes: 0 }), parameters: () => [], variadic: false }; // prettier-ignore
    return this.lvalue(type, () => ({ kind: 'memory', space: 'gv', address }), column);
  }
  private register(name: string, column: number): Node | undefined {
    const register = this.scope.register?.(name);
    if (!register) return undefined;
    const type = register.bytes === this.scope.pointerBytes ? longType(this.scope.pointerBytes, false) : register.bytes === 4 ? UNSIGNED : unsignedOfBytes(register.bytes); // prettier-ignore
    const place: Place = { kind: 'register', name };
    return { type, read: register.read, place: () => place, column, space: 'gv' };
  }
  private special(name: string, column: number): Node | undefined {
    const read = this.scope.special?.(name);
    return read && { type: UNSIGNED_LONG_LONG, text: read, column, space: 'gv' };
  }
  variable(variable: Variable): Node {
    const { scope } = this;
    const { type } = variable;
    const locate = (): Place => {
      assert(scope.target && scope.pc, 'a scope with variables has a frame');
      const location = variable.locate(scope.target(), scope.pc());
      if (location.kind === 'unavailable') throw new UserError(`${variable.name} is not available: ${location.why}.`);
      return placeOf(location, type.bytes);
    };
    if (variable.kind === 'local' || variable.kind === 'argument') return this.lvalue(type, locate, 1);
    // Globals stay where they are.
    let fixed: Place | undefined;
    return this.lvalue(type, () => (fixed ??= locate()), 1);
  }

  /** A scalar to compute with: arrays and functions as the pointers that they become (6.3.2.1). */
  private scalar(node: Node): Node & { read: Read } {
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
  private truth(node: Node): () => boolean {
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

  private address(space: Space, node: Node, column: number): Node {
    const { type, read } = this.scalar(node);
    if (arithmeticOf(type)?.kind !== 'integer') throw new ExpressionError(column, 'an address is an integer');
    const pointer =
      bare(type).kind === 'pointer'
        ? type
        : pointerTo({ kind: 'base', name: 'unsigned char', bytes: 1, encoding: 'unsigned-char' }, 8);
    return this.rvalue(pointer, () => BigInt.asUintN(64, read() as bigint), column, space);
  }

  private unary(operator: string, tree: Tree, column: number): Node {
    const operand = this.node(tree);
    if (operator === '*') return this.dereference(operand, column);
    if (operator === '&') return this.addressOf(operand, column);
    if (operator === '!') {
      const truth = this.truth(operand);
      return this.rvalue(INT, () => (truth() ? 0n : 1n), column);
    }
    const scalar = this.scalar(operand);
    const result =
      bare(scalar.type).kind === 'pointer' && operator !== '+' ? undefined : unaryOperator(operator, scalar);
    if (!result) throw new ExpressionError(column, `"${operator}" does not apply to ${scalar.type.name}`);
    return this.rvalue(result.type, result.read, column);
  }
  private dereference(node: Node, column: number): Node {
    const { type, read, space } = this.scalar(node);
    const pointer = bare(type);
    if (pointer.kind !== 'pointer')
      throw new ExpressionError(
        column,
        `only pointers can be followed, and this is ${type.name}: cast it, as in *(char *)`,
      );
    const to = pointer.to();
    if (bare(to).kind === 'void')
      throw new ExpressionError(column, 'a pointer to void says nothing of what is there: cast it, as in *(char *)');
    return this.lvalue(to, () => ({ kind: 'memory', space, address: read() as bigint }), column, space);
  }
  private addressOf(node: Node, column: number): Node {
    const { place } = node;
    if (!place) throw new ExpressionError(column, 'only what lies in memory has an address');
    const read = (): bigint => {
      const at = place();
      if (at.kind !== 'memory' || at.bits)
        throw new UserError(`Column ${column}: what is in a register or a bit field has no address.`);
      return at.address;
    };
    return this.rvalue(pointerTo(node.type, this.scope.pointerBytes), read, column, node.space);
  }

  private binary(operator: string, left: Node, right: Node, column: number): Node {
    if (operator === '&&' || operator === '||') {
      const [a, b] = [this.truth(left), this.truth(right)];
      return this.rvalue(INT, operator === '&&' ? () => (a() && b() ? 1n : 0n) : () => (a() || b() ? 1n : 0n), column);
    }
    if ((operator === '==' || operator === '!=') && (left.text || right.text))
      return this.textComparison(operator, left, right, column);
    const [a, b] = [this.scalar(left), this.scalar(right)];
    const pointers = this.pointerArithmetic(operator, a, b, column);
    if (pointers) return pointers;
    const result = binaryOperator(operator, a, b);
    if (!result) throw new ExpressionError(column, `"${operator}" does not apply to ${a.type.name} and ${b.type.name}`);
    return this.rvalue(result.type, result.read, column, left.space);
  }
  private textComparison(operator: string, left: Node, right: Node, column: number): Node {
    const value = (node: Node): (() => Scalar) => node.text ?? this.scalar(node).read;
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
  private pointerArithmetic(
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

  private ternary(condition: Node, then: Node, otherwise: Node, column: number): Node {
    const truth = this.truth(condition);
    const [a, b] = [this.scalar(then), this.scalar(otherwise)];
    const isPointer = [a, b].find((n) => bare(n.type).kind === 'pointer');
    const type = isPointer?.type ?? commonType(a.type, b.type);
    const [x, y] = [converted(a, type), converted(b, type)];
    return this.rvalue(type, () => (truth() ? x() : y()), column, (isPointer ?? a).space);
  }

  private cast(type: Type, operand: Node, column: number): Node {
    const to = bare(type);
    if (to.kind === 'void') throw new ExpressionError(column, 'a cast to void has no value');
    if (!arithmeticOf(type))
      throw new ExpressionError(
        column,
        `a cast to ${type.name} does not exist: cast a pointer, as in *(${type.name} *)&x`,
      );
    const scalar = this.scalar(operand);
    const read = converted(scalar, type);
    return this.rvalue(type, read, column, scalar.space);
  }

  private member(tree: Extract<Tree, { kind: 'member' }>): Node {
    const { column, name } = tree;
    const dotted = tree.arrow ? undefined : this.dotted(tree);
    if (dotted) return dotted;
    let object = this.node(tree.object);
    // `.` and `->` are both understood for pointers: there is only one thing that can be meant.
    if (bare(object.type).kind === 'pointer') object = this.dereference(object, tree.column);
    const { place } = object;
    const found = memberOf(object.type, name);
    if (!place || !found) throw new ExpressionError(column, `${object.type.name} has no member "${name}"`);
    const { type, offset, bits } = found;
    return this.lvalue(type, () => placeInside(place(), offset, bits), column, object.space);
  }
  /** `trap.vector`, `cs.base`: names with dots in them, unless the first part is a variable. */
  private dotted(tree: Tree): Node | undefined {
    const path = dottedPath(tree);
    if (!path || this.scope.variable?.(path.split('.')[0]!)) return undefined;
    if (path.startsWith('$')) return this.register(path.slice(1), tree.column);
    return this.special(path, tree.column) ?? this.register(path, tree.column);
  }

  assignment(target: Node, value: Node, column: number): Node {
    if (!this.assign) throw new ExpressionError(column, 'a condition must not assign: "==" compares');
    const { place, type } = target;
    if (!place)
      throw new ExpressionError(target.column, 'only a variable, register or place in memory can be assigned to');
    const { scope } = this;
    if (!arithmeticOf(type)) return this.copy(target, value, column);
    const { read } = this.scalar(value);
    const write = (): bigint | number => {
      const converted = convertTo(type, read());
      storeScalar(scope, type, place(), converted);
      return converted;
    };
    return this.rvalue(type, write, column, target.space);
  }
  private copy(target: Node, value: Node, column: number): Node {
    const { scope } = this;
    const [to, from] = [target.place!, value.place];
    if (!from || value.type.bytes !== target.type.bytes)
      throw new ExpressionError(column, `${value.type.name} cannot be assigned to ${target.type.name}`);
    const place = (): Place => {
      const at = to();
      storeBytes(scope, at, readPlace(scope, from(), target.type.bytes));
      return at;
    };
    return { ...target, place };
  }
}

/** C17 6.4.4.1: the first type of the list that holds it. */
const literalType = (token: Extract<Token, { kind: 'integer' }>, pointerBytes: 4 | 8): Type => {
  const { value, decimal, unsigned, longs } = token;
  const fits = (bits: number, signed: boolean): boolean => value < 1n << BigInt(signed ? bits - 1 : bits);
  for (const [bits, type, asUnsigned, rank] of [
    [32, INT, UNSIGNED, 0],
    [pointerBytes * 8, longType(pointerBytes, true), longType(pointerBytes, false), 1],
    [64, LONG_LONG, UNSIGNED_LONG_LONG, 2],
    [128, INT128, UNSIGNED_INT128, 2],
  ] as const) {
    if (rank < longs) continue;
    if (!unsigned && fits(bits, true)) return type;
    if ((unsigned || !decimal) && fits(bits, false)) return asUnsigned;
  }
  return UNSIGNED_INT128;
};

const dottedPath = (tree: Tree): string | undefined => {
  if (tree.kind === 'name') return tree.name;
  if (tree.kind !== 'member' || tree.arrow) return undefined;
  const object = dottedPath(tree.object);
  return object === undefined ? undefined : `${object}.${tree.name}`;
};

/** A member by name, also inside anonymous members and base classes. */
export const memberOf = (
  of: Type,
  name: string,
  depth = 0,
): { type: Type; offset: number; bits?: { offset: number; size: number } } | undefined => {
  const aggregate = bare(of);
  if (aggregate.kind !== 'struct' && aggregate.kind !== 'union' && aggregate.kind !== 'class') return undefined;
  for (const member of aggregate.members()) {
    if (member.name === name)
      return { type: member.type, offset: member.offset, ...(member.bitSize !== undefined && { bits: { offset: member.bitOffset ?? 0, size: member.bitSize } }) }; // prettier-ignore
  }
  if (depth > 16) return undefined;
  for (const member of aggregate.members()) {
    if (member.name !== '' && bare(member.type).kind !== 'class') continue;
    const found = memberOf(member.type, name, depth + 1);
    if (found) return { ...found, offset: found.offset + member.offset };
  }
  return undefined;
};
