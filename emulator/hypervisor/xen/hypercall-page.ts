/**
 * The hypercall page: 32 bytes for each number, which a kernel calls as a function. 64-bit: SYSCALL, which loses RCX and R11, so that
 * both are kept on the stack. 32-bit: INT 82h.
 */
import { PAGE_BYTES } from '../../mmu/physical-memory';

const SLOT_BYTES = 32;
export const IRET = 23;

/** push rcx; push r11; mov eax, number; syscall; pop r11; pop rcx; ret */
const call64 = (number: number): number[] => [0x51, 0x41, 0x53, 0xb8, number, 0, 0, 0, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3]; // prettier-ignore
/** push rcx; push r11; push rax; mov eax, 23; syscall */
const IRET64 = [0x51, 0x41, 0x53, 0x50, 0xb8, IRET, 0, 0, 0, 0x0f, 0x05];
/** mov eax, number; int 0x82; ret */
const call32 = (number: number): number[] => [0xb8, number, 0, 0, 0, 0xcd, 0x82, 0xc3];
/** push eax; mov eax, 23; int 0x82 */
const IRET32 = [0x50, 0xb8, IRET, 0, 0, 0, 0xcd, 0x82];

export function hypercallPage(word: 4 | 8): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES).fill(0xcc);
  for (let number = 0; number < PAGE_BYTES / SLOT_BYTES; number++) {
    const iret = word === 8 ? IRET64 : IRET32;
    page.set(number === IRET ? iret : word === 8 ? call64(number) : call32(number), number * SLOT_BYTES);
  }
  return page;
}
