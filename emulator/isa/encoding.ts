/** A row's opcode and operand notation (row.ts), parsed once. */
import { assert } from '../util/assert';
import type { Row } from './instruction';

export type Prefix = 'np' | 'nfx' | '66' | 'f3' | 'f2';

export interface Encoding {
  row: Row;
  /** 0 one byte, 1 after 0F, 2 after 0F 38, 3 after 0F 3A. */
  map: 0 | 1 | 2 | 3;
  /** Has a VEX prefix, with these L and W where the row cares. */
  vex: boolean;
  vexL?: 0 | 1;
  vexW?: 0 | 1;
  /** Some operand is named by VEX.vvvv, which otherwise must be all ones. */
  usesVvvv: boolean;
  /** Vectors as indices: SIB is needed, and its index names a vector (SDM vol. 2A section 2.3.12). */
  vsib: boolean;
  opcode: number;
  /** The low three bits of the opcode name a register. */
  plusRegister: boolean;
  modrm: boolean;
  /** ModRM.reg that the row wants, or the whole ModRM byte. */
  extension?: number;
  modrmByte?: number;
  prefix?: Prefix;
  rexW: boolean;
  /** REX.B must be clear: 90 is NOP only then. */
  noRexB: boolean;
  operands: readonly OperandNotation[];
  /** The first operand is a byte: so is the operand size. */
  bytes: boolean;
  /** Some operand is a control or debug register. */
  namesControl: boolean;
}

export interface OperandNotation {
  where: string;
  size: string;
}

const FIXED = new Set(['AL', 'CL', 'AX', 'rAX', 'DX', '1', 'ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'ST0', 'STi', 'XMM0']);

function parseOperand(text: string): OperandNotation {
  if (FIXED.has(text)) return { where: text, size: '' };
  return { where: text[0], size: text.slice(1) };
}

export function parseEncoding(row: Row): Encoding {
  const operands = row.operands === '' ? [] : row.operands.split(',').map(parseOperand);
  const [first] = operands as (OperandNotation | undefined)[];
  // All have all properties in one order: decoding is several times as fast with objects of one shape.
  const encoding: Encoding = {
    row, map: 0, vex: false, vexL: undefined, vexW: undefined, extension: undefined, modrmByte: undefined, prefix: undefined,
    bytes: first !== undefined && (first.where === 'AL' || (first.size === 'b' && 'EGMRZOXY'.includes(first.where))),
    namesControl: operands.some(({ where }) => where === 'C' || where === 'D'), usesVvvv: /(^|,)[HB]/.test(row.operands), vsib: row.operands.includes('Mi'), opcode: -1, plusRegister: false, modrm: false, rexW: false, noRexB: false,
    operands,
  }; // prettier-ignore
  const bytes: number[] = [];
  const tokens = row.opcode.split(' ');
  tokens.forEach((token, position) => {
    const followed = position + 1 < tokens.length && /^(0f|[0-9a-f]{2}(\+r)?)$/.test(tokens[position + 1]);
    if (token === 'np' || token === 'nfx' || (bytes.length === 0 && followed && /^(66|f3|f2)$/.test(token))) encoding.prefix = token as Prefix;
    else if (token === 'vex') encoding.vex = true;
    else if (token === 'l0' || token === 'l1') encoding.vexL = token === 'l1' ? 1 : 0;
    else if (token === 'w0' || token === 'w1') encoding.vexW = token === 'w1' ? 1 : 0;
    else if (token === 'rex.w') encoding.rexW = true;
    else if (token === 'nb') encoding.noRexB = true;
    else if (token === '/r') encoding.modrm = true;
    else if (/^\/[0-7]$/.test(token)) [encoding.modrm, encoding.extension] = [true, Number(token[1])];
    else {
      assert(/^[0-9a-f]{2}(\+r)?$/.test(token), `opcode notation "${row.opcode}" of ${row.mnemonic}`);
      bytes.push(parseInt(token, 16));
      encoding.plusRegister ||= token.endsWith('+r');
    }
  }); // prettier-ignore
  if (bytes[0] === 0x0f && bytes.length > 1) {
    const escape: number = bytes.length > 2 ? bytes[1] : 0;
    encoding.map = escape === 0x38 ? 2 : escape === 0x3a ? 3 : 1;
    bytes.splice(0, encoding.map > 1 ? 2 : 1);
  }
  encoding.opcode = bytes.shift()!;
  if (bytes.length) [encoding.modrm, encoding.modrmByte] = [true, bytes.shift()];
  assert(bytes.length === 0, `too many bytes in "${row.opcode}" of ${row.mnemonic}`);
  return encoding;
}

/** The more a row asks for, the earlier it is tried. */
export const specificity = (e: Encoding): number =>
  (e.modrmByte !== undefined ? 32 : 0) + (e.prefix ? 16 : 0) + (e.extension !== undefined ? 8 : 0) + (e.rexW ? 4 : 0) + (e.vexL !== undefined ? 2 : 0) + (e.vexW !== undefined ? 4 : 0) +
  (e.noRexB ? 2 : 0) + (e.row.attributes.form ? 1 : 0); // prettier-ignore
