/**
 * The tree of an expression to closures: names are looked up and types decided once. What a name means is asked in this
 * order: variable, enumeration constant, name of the stop (`trap.vector`), register, symbol. `$name` is always a register.
 */
import { assert, UserError } from '../../emulator/util/assert';
import type { Type, Variable } from '../symbols/api';
import { arithmeticOf, bare, CHAR, commonType, DOUBLE, FLOAT, INT, literalType, longType, pointerTo, UNSIGNED, UNSIGNED_LONG_LONG, unsignedOfBytes } from './c-types'; // prettier-ignore
import { ExpressionError } from './errors';
import type { Token } from './lexer';
import { binaryOperator, converted, unaryOperator } from './operators';
import { parse, type Tree } from './parser';
import { convertTo, type Place, placeInside, placeOf, readPlace, type Space, storeBytes, storeScalar } from './values'; // prettier-ignore

import { dottedPath, memberOf } from './members';
import { type Node, Nodes } from './nodes';
import type { Scope } from './scope';

export class Compiler extends Nodes {
  constructor(
    scope: Scope,
    private readonly assign: boolean,
  ) {
    super(scope);
  }

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
    const read = this.specialOf(name, column);
    return read && { type: UNSIGNED_LONG_LONG, text: read, column, space: 'gv' };
  }
  /** What is wrong with a name is said with its place. */
  private specialOf(name: string, column: number): ReturnType<NonNullable<Scope['special']>> {
    try {
      return this.scope.special?.(name);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new ExpressionError(column, error.message);
    }
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
    if (!/^(global|static)$/.test(variable.kind)) return this.lvalue(type, locate, 1);
    // Globals stay where they are.
    let fixed: Place | undefined;
    return this.lvalue(type, () => (fixed ??= locate()), 1);
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
    if (!this.assign)
      throw new ExpressionError(column, 'nothing can be assigned here, "==" compares; the debug console assigns');
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
