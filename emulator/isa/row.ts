/**
 * How a row of the opcode table is written. Families of rows are in rows/, their meanings in semantics/.
 *
 * Opcode notation, after the manual: hexadecimal bytes; `+r` the low three bits name a register; `/r` a ModRM byte follows;
 * `/0`..`/7` its reg field extends the opcode; a third byte after `0f 01`, `0f ae`, `0f c7` or a second after `d8`..`df`
 * is a whole ModRM byte. In front: `66`, `f3`, `f2` a mandatory prefix, `np` none of the three, `nfx` neither `f3` nor `f2`, `rex.w` REX.W set; `vex` a VEX
 * prefix, whose mandatory prefix is always said, with `l0`, `l1`, `w0`, `w1` where L or W must have that value.
 *
 * Operand notation, after SDM vol. 2D appendix A.2: a letter for where, one for the size.
 *   E ModRM gpr or memory   G ModRM.reg gpr    R ModRM.rm gpr only   M memory only      Z gpr in the opcode
 *   I immediate             J relative         A far pointer         O offset (moffs)   S segment by ModRM.reg
 *   C control by reg        D debug by reg     X DS:rSI              Y ES:rDI
 *   P mmx by reg            Q mmx or memory    N mmx by rm           V xmm by reg       W xmm or memory   U xmm by rm
 *   H xmm or ymm by VEX.vvvv   B gpr by VEX.vvvv   L xmm or ymm by bits 7:4 of an immediate byte
 *   b 8   w 16   d 32   q 64   t 80   dq 128   v 16/32/64 by operand size   z 16/32, immediates sign-extended to 64
 *   y 32/64 by REX.W   n 32, 64 in 64-bit mode   p far pointer in memory   s 6 or 10 bytes (LGDT)
 *   none: no size (LEA's M), or for V, W, U, H, L 128 or what VEX.L says   h half of that, k a quarter, e an eighth (memory)
 *   x in U, V and W: 128 whatever VEX.L says   i, ix: vectors of the same length or of 128 bits as indices (VSIB)
 *   `Ibs`: a byte sign-extended to the operand size.
 * Fixed: AL CL AX rAX (by operand size) DX 1 ES CS SS DS FS GS ST0 STi (by ModRM.rm) XMM0. Implicit operands are not written.
 */
import type { Emitter } from '../execution/builder';
import type { Row, RowAttributes, SystemMeaning } from './instruction';

export type RowSpec = Omit<Row, 'index'>;

/** A row whose meaning is emitted code: every tier is generated from it. */
export const emitted = (
  opcode: string,
  mnemonic: string,
  operands: string,
  emit: (e: Emitter) => void,
  attributes: RowAttributes = {},
): RowSpec => ({ opcode, mnemonic, operands, meaning: { kind: 'emit', emit }, attributes });

/** A row whose meaning is plain TypeScript, called from generated code. */
export const called = (
  opcode: string,
  mnemonic: string,
  operands: string,
  call: SystemMeaning,
  attributes: RowAttributes = {},
): RowSpec => ({ opcode, mnemonic, operands, meaning: { kind: 'call', call }, attributes });

/** A row whose emitted code hands what it does not do to a plain meaning (Emitter.plain). */
export const guarded = (
  opcode: string,
  mnemonic: string,
  operands: string,
  emit: (e: Emitter) => void,
  plain: SystemMeaning,
  attributes: RowAttributes = {},
): RowSpec => ({ opcode, mnemonic, operands, meaning: { kind: 'emit', emit, plain }, attributes });
