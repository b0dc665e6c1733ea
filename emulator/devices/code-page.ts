/** Code page 437, the character set in the ROM of PC display adapters, as Unicode. Source: IBM code page CP00437. */
const LOW = ' ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼';
const HIGH =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀' +
  'αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

/** Index: byte in the text buffer. */
export const CP437: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x20) return LOW[byte]!;
  if (byte === 0x7f) return '⌂';
  return byte < 0x7f ? String.fromCharCode(byte) : HIGH[byte - 0x80]!;
});
