/**
 * Keys of a PC keyboard by the names of the UI Events standard (KeyboardEvent.code), which speak of places and not of what is
 * printed on them. Source of the codes: IBM PC AT technical reference, scan code set 2; sequences after E0h and E1h as PS/2
 * keyboards send them.
 */
import { keyOf, set2Of } from './scan-codes';

const EXTENDED = 0xe0;
const RELEASE = 0xf0;

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].map((letter): [string, string] => [`Key${letter}`, letter.toLowerCase()]); // prettier-ignore
const DIGITS = [...'0123456789'].map((digit): [string, string] => [`Digit${digit}`, digit]);
/** Keys whose place is that of a character on a US keyboard. */
const BY_CHARACTER: readonly [string, string][] = [
  ...LETTERS, ...DIGITS, ['Minus', '-'], ['Equal', '='], ['BracketLeft', '['], ['BracketRight', ']'], ['Semicolon', ';'],
  ['Quote', "'"], ['Backquote', '`'], ['Backslash', '\\'], ['Comma', ','], ['Period', '.'], ['Slash', '/'], ['Space', ' '],
  ['Enter', '\r'], ['Tab', '\t'], ['Backspace', '\b'], ['Escape', '\x1b'],
]; // prettier-ignore

/** Set 2. */
const PLAIN: Record<string, number> = {
  F1: 0x05, F2: 0x06, F3: 0x04, F4: 0x0c, F5: 0x03, F6: 0x0b, F7: 0x83, F8: 0x0a, F9: 0x01, F10: 0x09, F11: 0x78, F12: 0x07,
  ShiftLeft: 0x12, ShiftRight: 0x59, ControlLeft: 0x14, AltLeft: 0x11, CapsLock: 0x58, NumLock: 0x77, ScrollLock: 0x7e,
  IntlBackslash: 0x61, Numpad0: 0x70, Numpad1: 0x69, Numpad2: 0x72, Numpad3: 0x7a, Numpad4: 0x6b, Numpad5: 0x73,
  Numpad6: 0x74, Numpad7: 0x6c, Numpad8: 0x75, Numpad9: 0x7d, NumpadDecimal: 0x71, NumpadAdd: 0x79, NumpadSubtract: 0x7b,
  NumpadMultiply: 0x7c,
}; // prettier-ignore
/** After E0h. */
const AFTER_E0: Record<string, number> = {
  ControlRight: 0x14, AltRight: 0x11, MetaLeft: 0x1f, MetaRight: 0x27, ContextMenu: 0x2f, Insert: 0x70, Delete: 0x71, Home: 0x6c,
  End: 0x69, PageUp: 0x7d, PageDown: 0x7a, ArrowUp: 0x75, ArrowDown: 0x72, ArrowLeft: 0x6b, ArrowRight: 0x74,
  NumpadEnter: 0x5a, NumpadDivide: 0x4a,
}; // prettier-ignore

const CODES = new Map<string, readonly number[]>([
  ...BY_CHARACTER.map(([name, character]): [string, number[]] => [name, [set2Of(keyOf(character)!.code)]]),
  ...Object.entries(PLAIN).map(([name, code]): [string, number[]] => [name, [code]]),
  ...Object.entries(AFTER_E0).map(([name, code]): [string, number[]] => [name, [EXTENDED, code]]),
]);

/** What the keyboard sends when the key goes down or up; undefined: a PC keyboard has no such key. */
export function sequenceOf(name: string, down: boolean): readonly number[] | undefined {
  const code = CODES.get(name);
  if (code === undefined || down) return code;
  return code.length === 1 ? [RELEASE, ...code] : [EXTENDED, RELEASE, code[1]!];
}
