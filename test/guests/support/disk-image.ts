/** A disk with a boot sector of ours. */
const SECTOR = 512;
const MIB = 1 << 20;

/**
 * Prints by INT 10h, reads the sector after its own by INT 13h AH=42h, prints what it says, writes 0 to the debug-exit
 * port; 3 when reading failed. In 16-bit code: the comments are the instructions.
 */
export function bootSector(text: string): Uint8Array {
  const AT = 0x7c00;
  const packet = 0x60;
  const message = 0x80;
  const at = (offset: number): number[] => [(AT + offset) & 0xff, (AT + offset) >> 8];
  const print = [0xac, 0x84, 0xc0, 0x74, 0x09, 0xb4, 0x0e, 0xbb, 0x07, 0x00, 0xcd, 0x10, 0xeb, 0xf2]; // lodsb; test; jz; int 10h; jmp
  const exit = (code: number): number[] => [0xba, 0xf4, 0x00, 0xb0, code, 0xee, 0xf4]; // mov dx, 0F4h; mov al; out; hlt
  const code = [
    ...[0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x7c], // xor ax, ax; mov ds, ax; mov ss, ax; mov sp, 7C00h
    ...[0xbe, ...at(message), ...print], // mov si, message
    ...[0xbe, ...at(packet), 0xb4, 0x42, 0xcd, 0x13, 0x73, 0x07, ...exit(3)], // mov si, packet; int 13h; jnc over the exit
    ...[0xbe, 0x00, 0x80, ...print, ...exit(0)], // mov si, 8000h
  ];
  const disk = new Uint8Array(MIB);
  disk.set(code);
  disk.set([16, 0, 1, 0, 0x00, 0x80, 0, 0, 1], packet);
  disk.set(latin1('Boot sector: \0'), message);
  disk.set([0x55, 0xaa], 510);
  disk.set(latin1(`${text}\r\n${' '.repeat(8)}\0`), SECTOR);
  return disk;
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
