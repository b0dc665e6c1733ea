/**
 * Ports that guests touch only to learn that a part is absent, or to let time pass. They read as all ones like any
 * undecoded port; what is listed here is not worth reporting. Source: the ISA port assignments that PIIX3 (Intel
 * 290550) and common Super I/O chips decode.
 */
const ABSENT: readonly (readonly [first: number, last: number, name: string])[] = [
  [0x022, 0x023, 'chip-set configuration (Cyrix, IMCR)'],
  [0x02e, 0x02f, 'Super I/O configuration'],
  [0x04e, 0x04f, 'Super I/O configuration'],
  [0x0b2, 0x0b3, 'advanced power management control'],
  [0x0e0, 0x0ef, 'delay port'],
  [0x0f0, 0x0f1, 'coprocessor error reset'],
  [0x102, 0x102, 'VGA enable'],
  [0x170, 0x177, 'secondary IDE channel'],
  [0x1f0, 0x1f7, 'primary IDE channel'],
  [0x1ce, 0x1d0, 'Bochs display interface'],
  [0x200, 0x207, 'game port'],
  [0x278, 0x27f, 'second parallel port, ISA plug and play'],
  [0x2e8, 0x2ef, 'fourth serial port'],
  [0x2f8, 0x2ff, 'second serial port'],
  [0x376, 0x376, 'secondary IDE control'],
  [0x378, 0x37f, 'parallel port'],
  [0x3e8, 0x3ef, 'third serial port'],
  [0x3f0, 0x3f7, 'floppy controller, primary IDE control'],
  [0x510, 0x511, 'QEMU firmware configuration'],
  [0x514, 0x51b, 'QEMU firmware configuration (DMA)'],
  [0x700, 0x701, 'QEMU management'],
  [0xa79, 0xa79, 'ISA plug and play'],
  [0x5658, 0x5659, 'VMware backdoor'],
  [0xae00, 0xae1f, 'QEMU hot plug'],
  [0xaf00, 0xaf1f, 'QEMU processor hot plug'],
];

/** The part that would answer at `port` on a fuller board; undefined: none that anybody probes for. */
export function absentPart(port: number): string | undefined {
  for (const [first, last, name] of ABSENT) if (port >= first && port <= last) return name;
  return undefined;
}
