/** PUSH, POP, PUSHA, POPA, ENTER, LEAVE, BOUND. Stack width: SDM vol. 3A section 6.2. */
import type { Emitter } from '../../execution/builder';
import { I32, i32 } from '../../execution/wasm';
import type { Value } from '../../execution/wasm';
import { GPR, SEG, VECTOR } from '../../x86/registers';

export function push(e: Emitter): void {
  e.push(e.truncate(e.read(0)));
}

export function pop(e: Emitter): void {
  const value = e.top();
  const above = e.stackAdd(e.stackPointer, e.size / 8);
  if (!e.isMemory(0)) {
    // POP rSP ends with the popped value: the register is written last.
    e.setStackPointer(above);
    return e.write(0, value);
  }
  // The destination's address is computed with the incremented stack pointer (SDM vol. 2, POP); should the store fault,
  // the stack pointer must be as before.
  const before = e.let(e.stackPointer);
  e.setStackPointer(above);
  const offset = e.offset();
  e.setStackPointer(before);
  e.storeAt('memory', offset, e.size, value);
  e.setStackPointer(above);
}

export function pusha(e: Emitter): void {
  const sp = e.let(e.stackPointer);
  const bytes = e.size / 8;
  // Lowest slot first: if any of the stack cannot be written nothing has been.
  const values = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => (i === GPR.RSP ? e.truncate(sp) : e.gpr(i, e.size)));
  for (let i = 7; i >= 0; i--) e.storeAt(SEG.SS, e.wide(e.stackAdd(sp, -bytes * (i + 1))), e.size, values[i]);
  e.setStackPointer(e.stackAdd(sp, -bytes * 8));
}

export function popa(e: Emitter): void {
  const sp = e.let(e.stackPointer);
  const bytes = e.size / 8;
  const order = [GPR.RDI, GPR.RSI, GPR.RBP, GPR.RSP, GPR.RBX, GPR.RDX, GPR.RCX, GPR.RAX];
  const values = order.map((_, i) => e.loadAt(SEG.SS, e.wide(e.stackAdd(sp, bytes * i)), e.size));
  e.setStackPointer(e.stackAdd(sp, bytes * 8));
  order.forEach((register, i) => {
    if (register !== GPR.RSP) e.setGpr(register, e.size, values[i]);
  });
}

export function leave(e: Emitter): void {
  const frame = e.let(e.gpr(GPR.RBP, e.form.stackSize));
  const value = e.loadAt(SEG.SS, e.wide(frame), e.size);
  e.setStackPointer(e.stackAdd(frame, e.size / 8));
  e.setGpr(GPR.RBP, e.size, value);
}

/** Operands: bytes of locals, nesting level. */
export function enter(e: Emitter): void {
  // A record holds both immediates in one word.
  const both = e.read(0, 32);
  const locals = e.let(both.and(0xffff));
  const level = e.let(both.shrU(16).and(31));
  const bytes = e.size / 8;
  const stack = e.form.stackSize;
  const oldFrame = e.let(e.gpr(GPR.RBP, stack));
  const frame = e.stackAdd(e.stackPointer, -bytes);
  e.storeAt(SEG.SS, e.wide(frame), e.size, e.truncate(e.gpr(GPR.RBP, 64)));
  const sp = e.variable(frame.type);
  const source = e.variable(frame.type);
  const count = e.variable(I32);
  e.f.set(sp, frame);
  e.f.set(source, oldFrame);
  e.f.set(count, level);
  const moveDown = (variable: typeof sp, by: Value | number): void =>
    e.f.set(variable, e.truncate(e.f.get(variable).sub(by), stack));
  const pushAt = (value: Value): void => {
    moveDown(sp, bytes);
    e.storeAt(SEG.SS, e.wide(e.let(e.f.get(sp))), e.size, value);
  };
  e.if(level.ne(0), () => {
    e.f.loop((again) => {
      e.f.set(count, e.f.get(count).sub(1));
      e.if(e.f.get(count).ne(0), () => {
        moveDown(source, bytes);
        pushAt(e.loadAt(SEG.SS, e.wide(e.let(e.f.get(source))), e.size));
        e.f.branch(again);
      });
    });
    pushAt(e.truncate(e.wide(frame)));
  });
  moveDown(sp, stack === 64 ? locals.extendU() : locals);
  // Faults if a write at the final stack pointer would (SDM vol. 2, ENTER).
  e.modifyAt(SEG.SS, e.wide(e.let(e.f.get(sp))), e.size);
  e.setGpr(GPR.RBP, e.size, e.truncate(e.wide(frame)));
  e.setStackPointer(e.f.get(sp));
}

/** Signed bounds in memory: #BR outside. */
export function bound(e: Emitter): void {
  const index = e.let(e.signed(e.read(0)));
  const at = e.offset();
  const low = e.loadAt('memory', at, e.size);
  const high = e.loadAt('memory', e.let(e.truncateAddress(at.add(e.size / 8))), e.size);
  e.raiseIf(index.ltS(e.signed(low)).or(index.gtS(e.signed(high))), VECTOR.BR);
}

/** SALC (undocumented, D6): AL from CF. */
export function salc(e: Emitter): void {
  e.setGpr(GPR.RAX, 8, i32(0).sub(e.carry()).and(0xff));
}
