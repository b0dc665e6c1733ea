/** Memory as text: 16 bytes a line, with the characters that they are. Knows neither the editor nor DAP. */

export const BYTES_A_LINE = 16;

const printable = (byte: number): string => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.');

/** `space`: before each address. What could not be read ends it. */
export function hexDump(space: string, first: bigint, bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_A_LINE) {
    const part = [...bytes.subarray(at, at + BYTES_A_LINE)];
    const numbers = part.map((byte) => byte.toString(16).padStart(2, '0'));
    // A page-table entry has eight bytes.
    numbers.splice(BYTES_A_LINE / 2, 0, '');
    const address = (first + BigInt(at)).toString(16).padStart(12, '0');
    lines.push(`${space}:0x${address}  ${numbers.join(' ').padEnd(BYTES_A_LINE * 3)}  ${part.map(printable).join('')}`);
  }
  return lines;
}
