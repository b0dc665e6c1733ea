/**
 * MOVS, STOS, LODS, SCAS, CMPS. One execution is one iteration and counts as one instruction; a repeated one that has
 * more to do executes again, so that interrupts, single-stepping and exact stops fall between iterations (SDM vol. 2, REP).
 */
import type { Emitter, Size } from '../../execution/builder';
import type { Value } from '../../execution/wasm';
import { GPR, SEG } from '../../x86/registers';

const pointer = (e: Emitter, register: number): Value => e.let(e.wide(e.gpr(register, e.form.addressSize)));

const advance = (e: Emitter, register: number, at: Value, step: Value): void => {
  const size = e.form.addressSize;
  e.setGpr(register, size, e.truncate(at.add(step), size));
};

/** `untilZero`: REPE and REPNE (CMPS, SCAS) also stop by ZF. `bulk`: many iterations may be done out of line. */
function repeated(e: Emitter, iteration: () => void, options: { untilZero?: boolean; bulk?: 'move' | 'fill' }): void {
  if (e.form.rep === 'none') return iteration();
  const size = e.form.addressSize;
  e.if(e.gpr(GPR.RCX, size).eqz(), () => e.fallThrough());
  if (options.bulk) {
    e.if(e.bulkString(options.bulk), () => {
      e.if(e.gpr(GPR.RCX, size).eqz(), () => e.fallThrough());
      e.again();
    });
  }
  iteration();
  const count = e.let(e.truncate(e.gpr(GPR.RCX, size).sub(1), size));
  e.setGpr(GPR.RCX, size, count);
  e.if(count.eqz(), () => e.fallThrough());
  if (options.untilZero) e.if(e.condition(e.form.rep === 'rep' ? 5 : 4), () => e.fallThrough());
  e.again();
}

export function movs(e: Emitter): void {
  repeated(e, () => {
    const [from, to] = [pointer(e, GPR.RSI), pointer(e, GPR.RDI)];
    e.storeAt(SEG.ES, to, e.size, e.loadAt('memory', from, e.size));
    const step = e.let(e.stringStep(e.size / 8));
    advance(e, GPR.RSI, from, step);
    advance(e, GPR.RDI, to, step);
  }, { bulk: 'move' }); // prettier-ignore
}

export function stos(e: Emitter): void {
  repeated(e, () => {
    const to = pointer(e, GPR.RDI);
    e.storeAt(SEG.ES, to, e.size, e.gpr(GPR.RAX, e.size));
    advance(e, GPR.RDI, to, e.stringStep(e.size / 8));
  }, { bulk: 'fill' }); // prettier-ignore
}

export function lods(e: Emitter): void {
  repeated(e, () => {
    const from = pointer(e, GPR.RSI);
    e.setGpr(GPR.RAX, e.size, e.loadAt('memory', from, e.size));
    advance(e, GPR.RSI, from, e.stringStep(e.size / 8));
  }, {}); // prettier-ignore
}

const compare = (e: Emitter, left: Value, right: Value): void =>
  e.flagsSub(left, right, e.let(e.truncate(left.sub(right))));

export function scas(e: Emitter): void {
  repeated(e, () => {
    const to = pointer(e, GPR.RDI);
    const right = e.loadAt(SEG.ES, to, e.size);
    advance(e, GPR.RDI, to, e.stringStep(e.size / 8));
    compare(e, e.let(e.gpr(GPR.RAX, e.size as Size)), right);
  }, { untilZero: true }); // prettier-ignore
}

export function cmps(e: Emitter): void {
  repeated(e, () => {
    const [from, to] = [pointer(e, GPR.RSI), pointer(e, GPR.RDI)];
    const left = e.loadAt('memory', from, e.size);
    const right = e.loadAt(SEG.ES, to, e.size);
    const step = e.let(e.stringStep(e.size / 8));
    advance(e, GPR.RSI, from, step);
    advance(e, GPR.RDI, to, step);
    compare(e, left, right);
  }, { untilZero: true }); // prettier-ignore
}
