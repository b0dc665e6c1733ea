/** Expressions of the user: in a frame, as a condition inside the run loop, as an address. */
import type { SilentHole, Stop, TrapEvent, VmExit } from '../emulator/machine/api';
import { UserError } from '../emulator/util/assert';
import { looksLikeAddress, parseAddress, type Address } from './addresses';
import type { ConditionPlace } from './breakpoints';
import type { Debuggee } from './debuggee';
import { checkReasons, exitSpecials } from './exit-specials';
import { frameScope, liveScope, trapSpecials } from './expression-scope';
import type { Specials } from './expression-scope';
import { bare } from './expressions/c-types';
import { compile, compileAssignment, type Scope } from './expressions/evaluate';
import { formatValue } from './expressions/format';
import type { Value } from './expressions/values';
import type { ShownFrame } from './handles';
import type { Node } from './scopes/node';
import { registerBits } from './scopes/processor';
import { valueNode } from './scopes/value-node';
import type { CodeFrame } from './frames';

export interface At {
  shown: ShownFrame;
  frame: CodeFrame;
}

export class Evaluator {
  constructor(private readonly debuggee: Debuggee) {}

  private stopEvent = (): TrapEvent | undefined => {
    const stop = this.debuggee.lastStop;
    return stop?.kind === 'trap' || stop?.kind === 'triple-fault' ? stop.event : undefined;
  };

  /** What `trap`, `exit` and `hole` mean: at a filter its own event, else that of the last stop. */
  private specials(place: ConditionPlace = {}): Specials {
    const stop = (): Stop | undefined => this.debuggee.lastStop;
    const exit = (): VmExit | undefined => {
      const last = stop();
      return last?.kind === 'vm-exit' ? last.exit : undefined;
    };
    const hole = (): SilentHole | undefined => {
      const last = stop();
      return last?.kind === 'silent-hole' ? last.hole : undefined;
    };
    const traps = trapSpecials(place.trap ?? this.stopEvent);
    const exits = exitSpecials(place.exit ?? exit, place.hole ?? hole, place.hypercall);
    return (name) => traps(name) ?? exits(name);
  }

  private scope({ shown, frame }: At, edited: () => void = () => {}): Scope {
    return frameScope(this.debuggee, frame, shown.depth, this.specials(), edited);
  }

  private live(place: ConditionPlace, current: { cpu: number }): Scope {
    return liveScope(this.debuggee, () => current.cpu, place.gva, this.specials(place));
  }

  /** True or false, as often as asked. What cannot be evaluated counts as true and is said once. */
  condition(text: string, place: ConditionPlace): (cpu: number) => boolean {
    const current = { cpu: this.debuggee.currentCpu };
    const compiled = compile(text, this.live(place, current));
    if (place.exit) checkReasons(text);
    return (cpu) => {
      current.cpu = cpu;
      try {
        return compiled.test();
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        // `trap.address < 0x1000` is no mistake when the event is no page fault: it is not true.
        if (/has no value at this stop/.test(error.message)) return false;
        this.debuggee.complain(`Condition '${text}' cannot be evaluated, so the breakpoint stops: ${error.message}`);
        return true;
      }
    };
  }

  /** For log messages: the value as text, or in angle brackets why there is none. */
  text(text: string, place: ConditionPlace): (cpu: number) => string {
    const current = { cpu: this.debuggee.currentCpu };
    const scope = this.live(place, current);
    const compiled = compile(text, scope);
    return (cpu) => {
      current.cpu = cpu;
      try {
        return formatValue(compiled(), scope, this.debuggee.formatting);
      } catch (error) {
        if (error instanceof UserError) return `<${error.message}>`;
        throw error;
      }
    };
  }

  /** `gv:`, `gp:` and `hp:` before a number or an expression; without a space it is a gva. `place` is for the message. */
  addressIn(text: string, place: string, frameId?: number): Address {
    if (looksLikeAddress(text)) return parseAddress(text, place);
    const [, space = 'gv', rest = text] = /^\s*(g[vp]|hp):(.*)$/s.exec(text) ?? [];
    return { space: space as Address['space'], value: this.address(rest, frameId) };
  }
  /** The value of an expression as an address; of arrays, structures and functions, where they are. */
  address(text: string, frameId?: number): bigint {
    const at = this.debuggee.codeFrameOf(frameId);
    const { type, value, location } = compile(text, this.scope(at))();
    const inner = bare(type);
    if (/array|struct|union|class|function/.test(inner.kind) && location?.kind === 'memory') return location.address;
    if (typeof value !== 'bigint') throw new UserError(`'${text}' is not an address but of type ${type.name}.`);
    return BigInt.asUintN(64, value);
  }

  /** Where the value lies, for data breakpoints; undefined: not in guest-virtual memory. */
  locate(text: string, at: At): { gva: bigint; bytes: number } | undefined {
    const { type, location } = compile(text, this.scope(at))();
    if (location?.kind !== 'memory' || location.space !== 'gv') return undefined;
    const bytes = location.bits ? Math.ceil((location.bits.offset + location.bits.size) / 8) : type.bytes;
    return { gva: location.address, bytes };
  }

  /** The value as a node. `assign`: the expression may change the guest. */
  node(text: string, at: At, edited: () => void, assign = false): Node {
    const scope = this.scope(at, edited);
    return this.nodeOf(text, compile(text, scope, { assign })(), at, scope);
  }

  /** Assigns, and tells what is there then. */
  assign(expression: string, value: string, at: At, edited: () => void): Node {
    compileAssignment(expression, value, this.scope(at, edited))();
    return this.node(expression, at, edited);
  }

  private nodeOf(text: string, result: Value, at: At, scope: Scope): Node {
    const { type, value, location } = result;
    if (location?.kind === 'register') return this.registerNode(text, location.name, value, at, scope);
    if (typeof value === 'string') return { name: text, value: JSON.stringify(value) };
    const node = valueNode(text, result, scope, this.debuggee.formatting, text);
    // A computed address is worth a look into memory, too.
    if (node.reference === undefined && typeof value === 'bigint' && type.bytes === 8) {
      node.reference = { space: 'gv', value: BigInt.asUintN(64, value) };
    }
    return node;
  }

  private registerNode(text: string, name: string, value: Value['value'], at: At, scope: Scope): Node {
    const number = typeof value === 'bigint' ? value : 0n;
    const bits = registerBits(name, this.debuggee.machine.inspect.registers(at.frame.cpu));
    const symbol = bits === 64 && number > 0xfffn ? this.debuggee.program.describe(number) : undefined;
    return {
      name: text,
      value: `0x${number.toString(16).padStart(Math.ceil(bits / 4), '0')}${symbol === undefined ? '' : ` <${symbol}>`}`,
      evaluateName: text,
      ...(bits === 64 ? { reference: { space: 'gv' as const, value: number } } : {}),
      set: (typed) => void compileAssignment(text, typed, scope)(),
    };
  }
}
