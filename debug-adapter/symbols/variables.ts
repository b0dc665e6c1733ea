/** Variables of functions and units, and where they are. DWARF 5 section 4.1. */
import type { Location, Target, Variable } from './api';
import { AT, FORM, OP, TAG } from './dwarf-constants';
import type { Dwarf } from './dwarf';
import type { Entry } from './entries';
import type { Functions, ScopeFrame } from './functions';
import { compute, type ExpressionContext, locate, toBytes } from './location-expressions';
import { expressionAt } from './location-lists';
import { DwarfError, Reader, toAddress, toGva } from './reader';
import { Unavailable } from './typed-values';
import type { Types } from './types';
import type { Unwinder } from './unwind';

/** Callers that a chain of entry values may go through. */
const DEEPEST_CALLER = 8;

export class Variables {
  constructor(
    private readonly dwarf: Dwarf,
    private readonly functions: Functions,
    private readonly types: Types,
    private readonly unwinder: Unwinder,
  ) {}

  /** Of one frame, innermost block first: the first of a name is the visible one. */
  inFrame(frame: ScopeFrame): Variable[] {
    const found: Variable[] = [];
    for (const block of frame.blocks)
      for (const child of block.children()) {
        const isArgument = child.tag === TAG.formal_parameter;
        if (!isArgument && child.tag !== TAG.variable) continue;
        const variable = this.variable(child, isArgument ? 'argument' : 'local');
        if (variable) found.push(variable);
      }
    return found;
  }
  /** Undefined: it has no name, or is only declared here (`extern`). */
  variable(entry: Entry, kind: Variable['kind']): Variable | undefined {
    const name = this.dwarf.nameOf(entry);
    if (name === undefined) return undefined;
    if (entry.flag(AT.declaration) && !entry.has(AT.location)) return undefined;
    const declaration = this.functions.declaration(entry);
    const fixed = entry.block(AT.location)?.[0] === OP.addr;
    const isStatic = kind === 'local' && fixed;
    return {
      name,
      type: this.types.of(entry),
      kind: isStatic ? 'static' : kind,
      ...(declaration && { declaration }),
      locate: (target, pc) => this.locate(entry, target, pc),
    };
  }

  private locate(entry: Entry, target: Target, pc: bigint): Location {
    try {
      return this.locateAt(entry, target, toAddress(pc), 0);
    } catch (error) {
      if (error instanceof DwarfError) return { kind: 'unavailable', why: error.message };
      if (error instanceof Unavailable) return { kind: 'unavailable', why: error.message };
      throw error;
    }
  }
  private locateAt(entry: Entry, target: Target, pc: number, depth: number): Location {
    const owner = this.dwarf.withAttribute(entry, AT.location, AT.const_value);
    if (!owner) return { kind: 'unavailable', why: 'optimised out' };
    if (owner.has(AT.const_value)) return this.constant(owner, entry);
    const block = this.expression(owner, AT.location, pc);
    if (!block) return { kind: 'unavailable', why: `optimised out at 0x${toGva(pc).toString(16)}` };
    return locate(block, this.context(owner, target, pc, depth));
  }
  /** The expression of an attribute: there directly, or from a location list. */
  private expression(entry: Entry, attribute: number, pc: number): Uint8Array | undefined {
    const direct = entry.block(attribute);
    if (direct) return direct;
    const list = entry.number(attribute);
    if (list === undefined) return undefined;
    return expressionAt(this.dwarf, entry.unit, list, entry.form(attribute) === FORM.loclistx, pc);
  }
  private constant(owner: Entry, entry: Entry): Location {
    const bytes = Math.max(1, this.types.of(entry).bytes);
    const block = owner.block(AT.const_value);
    if (block) return { kind: 'value', bytes: block };
    const value = owner.constant(AT.const_value);
    if (value !== undefined) return { kind: 'value', bytes: toBytes(value, bytes) };
    const text = owner.string(AT.const_value);
    if (text !== undefined) return { kind: 'value', bytes: new TextEncoder().encode(`${text}\0`) };
    const address = owner.address(AT.const_value);
    return address === undefined ? { kind: 'unavailable', why: 'its constant has a form that is not known' } : { kind: 'value', bytes: toBytes(toGva(address), bytes) }; // prettier-ignore
  }

  private context(entry: Entry, target: Target, pc: number, depth: number): ExpressionContext {
    const context: ExpressionContext = {
      dwarf: this.dwarf,
      unit: entry.unit,
      target,
      cfa: () => {
        const cfa = target.cfa?.() ?? this.unwinder.cfa(toGva(pc), target);
        if (cfa === undefined) throw new Unavailable('its frame has no call-frame information');
        return cfa;
      },
      frameBase: () => {
        const owner = this.functions.entryAt(pc);
        const block = owner && this.expression(owner, AT.frame_base, pc);
        if (!owner || !block) throw new Unavailable('its function says no frame base');
        const base = locate(block, { ...context, unit: owner.unit, frameBase: noBase });
        // A register as frame base means its contents (DWARF 5 section 3.3.5).
        if (base.kind === 'memory') return base.gva;
        return compute(block, { ...context, unit: owner.unit, frameBase: noBase });
      },
      entryValue: (block) => this.entryValue(block, target, pc, depth),
    };
    return context;
  }

  /** A value as it was when the function was entered: what the call site says it passed (DWARF 5 section 3.4.2). */
  private entryValue(block: Uint8Array, target: Target, pc: number, depth: number): bigint {
    const gone = 'it was passed in a register that has been overwritten';
    const caller = depth < DEEPEST_CALLER ? target.caller?.() : undefined;
    if (!caller) throw new Unavailable(`${gone}, and the caller is not known`);
    const returnAddress = toAddress(caller.pc);
    const site = this.functions.callSite(returnAddress);
    if (!site)
      throw new Unavailable(`${gone}, and the call at 0x${caller.pc.toString(16)} does not say what it passed`);
    const origin = site.reference(AT.call_origin) ?? site.reference(AT.abstract_origin);
    const self = this.functions.entryAt(pc);
    if (origin && self && this.dwarf.nameOf(origin) !== this.dwarf.nameOf(self))
      throw new Unavailable(
        `${gone}, and the caller on the stack called ${this.dwarf.nameOf(origin)}: a tail call is between`,
      );
    for (const parameter of site.children()) {
      if (parameter.tag !== TAG.call_site_parameter && parameter.tag !== TAG.GNU_call_site_parameter) continue;
      const where = parameter.block(AT.location);
      if (!where || !sameEntry(where, block)) continue;
      const value = parameter.block(AT.call_value) ?? parameter.block(AT.GNU_call_site_value);
      if (!value) break;
      return compute(value, this.context(parameter, caller.target, returnAddress - 1, depth + 1));
    }
    throw new Unavailable(`${gone}, and the call at 0x${caller.pc.toString(16)} does not say what it passed there`);
  }
}

const noBase = (): never => {
  throw new Unavailable('its frame base refers to itself');
};

/** The same register, DW_OP_regN or DW_OP_bregN 0 with a dereference; else the same bytes. */
const sameEntry = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length === b.length && a.every((byte, i) => byte === b[i])) return true;
  const [x, y] = [registerOf(a), registerOf(b)];
  return x !== undefined && x === y;
};
const registerOf = (block: Uint8Array): number | undefined => {
  const reader = new Reader(block, 'location expression');
  if (reader.done) return undefined;
  const op = reader.u8();
  if (op === OP.regx) return reader.uleb();
  return op >= OP.reg0 && op < OP.breg0 && reader.done ? op - OP.reg0 : undefined;
};
