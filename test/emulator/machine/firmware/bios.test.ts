import assert from 'node:assert/strict';
import { Decoder, DecoderOptions, Mnemonic } from 'iced-x86';
import { Board } from '../../../../emulator/machine/board';
import { BiosServices, biosRegions } from '../../../../emulator/machine/firmware/bios';
import type { BiosDisk, RealModeProcessor } from '../../../../emulator/machine/firmware/bios';
import { powerOnSelfTest } from '../../../../emulator/machine/firmware/post';
import { NO_MEMORY, TestClock } from '../../devices/support';

const MIB = 0x10_0000;
const SIZE = 64 * MIB;
const STACK = 0x7000;
type Registers = Partial<Record<'eax' | 'ebx' | 'ecx' | 'edx' | 'esi' | 'edi' | 'ebp', number>> & {
  es?: number;
  ds?: number;
};

/** A processor that only enters BIOS stubs: registers, memory, the flags that INT pushed. */
class StubProcessor implements RealModeProcessor {
  readonly memory = new Uint8Array(2 * MIB);
  readonly registers: Record<string, number> = { eax: 0, ebx: 0, ecx: 0, edx: 0, esi: 0, edi: 0, ebp: 0, esp: STACK, eip: 0 };
  readonly segments: Record<string, number> = { cs: 0xf000, ds: 0, es: 0, ss: 0 };
  get = (r: string): number => this.registers[r]!;
  set = (r: string, value: number): void => void (this.registers[r] = value >>> 0);
  getSegment = (s: string): number => this.segments[s]!;
  setSegment = (s: string, value: number): void => void (this.segments[s] = value);
  readPhysical = (gpa: number, bytes: number): Uint8Array => this.memory.slice(gpa, gpa + bytes);
  writePhysical = (gpa: number, bytes: Uint8Array): void => this.memory.set(bytes, gpa);
} // prettier-ignore

const floppy = (): BiosDisk => {
  const bytes = new Uint8Array(1440 * 1024);
  for (let lba = 0; lba < 2880; lba++) bytes.fill(lba & 0xff, lba * 512, (lba + 1) * 512);
  return { drive: 0, bytes };
};
const hardDisk = (): BiosDisk => {
  const bytes = new Uint8Array(8 * MIB);
  for (let lba = 0; lba < bytes.length / 512; lba++) bytes.fill(lba & 0xff, lba * 512, (lba + 1) * 512);
  return { drive: 0x80, bytes };
};

/** Made once: services never write to them. */
const DISKS = [floppy(), hardDisk()];

function bench(disks: BiosDisk[] = DISKS) {
  const clock = new TestClock();
  const events: string[] = [];
  let teletype = '';
  const host = {
    clock, memory: NO_MEMORY, onConsole: () => {}, unsupported: (what: string) => events.push(what), powerOff: () => {}, resetRequested: () => {},
    debugExit: () => {}, a20: (level: boolean) => events.push(`a20 ${level ? 1 : 0}`), cpuAttention: () => {},
  }; // prettier-ignore
  const board = new Board(
    { memoryBytes: SIZE, cpus: 1, startSeconds: Date.parse('2024-05-06T07:08:09Z') / 1000 },
    host,
  );
  powerOnSelfTest(board.bus);
  events.length = 0;
  const cpu = new StubProcessor();
  for (const region of biosRegions({ disks })) cpu.memory.set(region.bytes, region.gpa);
  board.attach(
    new BiosServices(cpu, board.bus, {
      memoryBytes: SIZE, disks, onTeletype: (byte) => (teletype += String.fromCharCode(byte)),
      bootFailed: () => events.push('boot failed'), reboot: () => events.push('reboot'), unsupported: (what) => events.push(what),
    }),
  ); // prettier-ignore
  const word = (gpa: number): number => cpu.memory[gpa]! | (cpu.memory[gpa + 1]! << 8);
  /** INT n as far as the stub's OUT: carry, zero, whether it must wait. */
  const int = (vector: number, registers: Registers = {}): { cf: number; zf: number; waits: boolean } => {
    for (const [name, value] of Object.entries(registers))
      (name in cpu.segments ? cpu.segments : cpu.registers)[name] = value;
    cpu.memory.set([0, 0, 0, 0, 0, 0], STACK);
    const [offset, segment] = [word(vector * 4), word(vector * 4 + 2)];
    cpu.registers['eip'] = offset;
    const stub = segment * 16 + offset;
    assert.equal(cpu.memory[stub], 0xe6);
    board.bus.writePort(cpu.memory[stub + 1]!, 1, cpu.registers['eax']! & 0xff);
    return { cf: word(STACK + 4) & 1, zf: (word(STACK + 4) >> 6) & 1, waits: cpu.memory[0xf_dfef] !== 0 };
  };
  return { board, cpu, clock, events, int, word, r: cpu.registers, teletype: () => teletype };
}

describe('BIOS stubs', () => {
  const disassemble = (bytes: Uint8Array): string[] => {
    const decoder = new Decoder(16, bytes, DecoderOptions.None);
    const names: string[] = [];
    while (decoder.canDecode && names.length < 12) {
      const instruction = decoder.decode();
      const target =
        instruction.isJccShort || instruction.isJmpShort ? ` ${instruction.nearBranch16.toString(16)}` : '';
      names.push(Mnemonic[instruction.mnemonic]! + target);
    }
    return names;
  };
  it('are the code that the comment says', () => {
    const { cpu } = bench();
    assert.deepEqual(disassemble(cpu.memory.slice(0xf_e100, 0xf_e10f)), [
      'Out',
      'Cmp',
      'Jne b',
      'Iret',
      'Sti',
      'Hlt',
      'Jmp 0',
    ]);
    assert.deepEqual(disassemble(cpu.memory.slice(0xf_e080, 0xf_e08b)), [
      'Out',
      'Int',
      'Push',
      'Mov',
      'Out',
      'Pop',
      'Iret',
    ]);
    assert.deepEqual(disassemble(cpu.memory.slice(0xf_e1c0, 0xf_e1c1)), ['Iret']);
  });
  it('are where every vector points, and at the reset vector', () => {
    const { word, cpu } = bench();
    for (let vector = 0; vector < 256; vector++) assert.deepEqual([word(vector * 4), word(vector * 4 + 2)], [0xe000 + vector * 16, 0xf000]);
    assert.deepEqual([...cpu.memory.slice(0xf_fff0, 0xf_fff5)], [0xea, 0x90, 0xe1, 0x00, 0xf0]);
    assert.equal(cpu.memory[0xf_fffe], 0xfc);
  }); // prettier-ignore
});

describe('BIOS video (INT 10h)', () => {
  it('types, wraps and scrolls', () => {
    const { int, board, r, teletype } = bench();
    for (const c of 'one\r\n') int(0x10, { eax: 0x0e00 | c.charCodeAt(0) });
    for (let i = 0; i < 24; i++) int(0x10, { eax: 0x0e0a });
    for (const c of '\rend') int(0x10, { eax: 0x0e00 | c.charCodeAt(0) });
    const { text } = board.screen();
    assert.equal(text[24]!.trimEnd(), 'end');
    assert.equal(text.join('').includes('one'), false, 'scrolled away');
    int(0x10, { eax: 0x0300 });
    assert.deepEqual([r['edx']! & 0xffff, board.vga.cursor], [0x1803, { row: 24, column: 3 }]);
    assert.equal(teletype().startsWith('one\r\n'), true);
  });
  it('writes strings and cells where told', () => {
    const { int, board, cpu, r } = bench();
    cpu.memory.set([...'Hello'].map((c) => c.charCodeAt(0)), 0x5_0010);
    int(0x10, { eax: 0x1301, ebx: 0x1e, ecx: 5, edx: 0x0204, ebp: 0x10, es: 0x5000 });
    assert.equal(board.screen().text[2]!.trimEnd(), '    Hello');
    int(0x10, { eax: 0x0200, edx: 0x0304 });
    int(0x10, { eax: 0x0900 | 0x2a, ebx: 0x4f, ecx: 3 });
    int(0x10, { eax: 0x0800 });
    assert.equal(r['eax']! & 0xffff, 0x4f2a);
    int(0x10, { eax: 0x0f00 });
    assert.deepEqual([r['eax']! & 0xffff, r['ebx']! & 0xff00], [0x5003, 0]);
    int(0x10, { eax: 0x0003 });
    assert.equal(board.screen().text.join('').trim(), '');
  }); // prettier-ignore
  it('reports graphics modes', () => {
    const { int, events } = bench();
    int(0x10, { eax: 0x0013 });
    assert.deepEqual(events, ['BIOS INT 10h: video mode 13h']);
  });
});

describe('BIOS disks (INT 13h)', () => {
  it('reads sectors by cylinder, head, sector', () => {
    const { int, cpu, r } = bench();
    // Cylinder 2, head 1, sector 18 of a 1440 KiB floppy: block (2 * 2 + 1) * 18 + 17.
    assert.equal(int(0x13, { eax: 0x0202, ebx: 0x200, ecx: 0x0212, edx: 0x0100, es: 0x800 }).cf, 0);
    assert.equal(r['eax']! & 0xffff, 0x0002);
    assert.deepEqual([cpu.memory[0x8200], cpu.memory[0x8400], cpu.memory[0x8600]], [107, 108, 0]);
  });
  const rows: { name: string; in: Registers; cf: number; ah: number }[] = [
    { name: 'sector 0', in: { eax: 0x0201, ecx: 0x0000, edx: 0 }, cf: 1, ah: 4 },
    { name: 'sector 19 of 18', in: { eax: 0x0201, ecx: 0x0013, edx: 0 }, cf: 1, ah: 4 },
    { name: 'a drive that is not there', in: { eax: 0x0201, ecx: 1, edx: 0x81 }, cf: 1, ah: 0xaa },
    { name: 'no sectors', in: { eax: 0x0200, ecx: 1, edx: 0 }, cf: 1, ah: 1 },
    { name: 'reset', in: { eax: 0x0000, edx: 0x80 }, cf: 0, ah: 0 },
    { name: 'beyond the end', in: { eax: 0x0202, ecx: 0x4f12, edx: 0x0100 }, cf: 1, ah: 4 },
    { name: 'extensions of a floppy', in: { eax: 0x4100, ebx: 0x55aa, edx: 0 }, cf: 1, ah: 1 },
    { name: 'a write', in: { eax: 0x0301, ecx: 1, edx: 0x80 }, cf: 1, ah: 3 },
    { name: 'an unknown function', in: { eax: 0x7700, edx: 0x80 }, cf: 1, ah: 1 },
  ];
  for (const row of rows) {
    it(`answers ${row.name}`, () => {
      const { int, r } = bench();
      assert.equal(int(0x13, row.in).cf, row.cf);
      assert.equal((r['eax']! >> 8) & 0xff, row.ah);
    });
  }
  it('tells geometry', () => {
    const { int, r } = bench();
    int(0x13, { eax: 0x0800, edx: 0 });
    assert.deepEqual([r['ecx']! & 0xffff, r['edx']! & 0xffff, r['ebx']! & 0xff], [0x4f12, 0x0101, 4]);
    int(0x13, { eax: 0x0800, edx: 0x80 });
    assert.deepEqual([r['ecx']! & 0xffff, r['edx']! & 0xffff], [(15 << 8) | 63, 0x0f01]);
  });
  it('reads blocks by packet', () => {
    const { int, cpu, r } = bench();
    assert.equal(int(0x13, { eax: 0x4100, ebx: 0x55aa, edx: 0x80 }).cf, 0);
    assert.deepEqual([r['ebx']! & 0xffff, r['ecx']! & 1], [0xaa55, 1]);
    cpu.memory.set([16, 0, 2, 0, 0x00, 0x01, 0x00, 0x09, 0x05, 0x01, 0, 0, 0, 0, 0, 0], 0x600);
    assert.equal(int(0x13, { eax: 0x4200, edx: 0x80, esi: 0x600, ds: 0 }).cf, 0);
    assert.deepEqual([cpu.memory[0x9100], cpu.memory[0x9300]], [0x05, 0x06]);
    cpu.memory.set([16, 0, 2, 0, 0, 1, 0, 9, 0xff, 0x3f, 0, 0, 0, 0, 0, 0], 0x600);
    assert.equal(int(0x13, { eax: 0x4200, edx: 0x80, esi: 0x600 }).cf, 1, 'one block too far');
    cpu.memory.set([26, 0], 0x600);
    assert.equal(int(0x13, { eax: 0x4800, edx: 0x80, esi: 0x600 }).cf, 0);
    assert.deepEqual([cpu.memory[0x610], cpu.memory[0x611], cpu.memory[0x619]], [0x00, 0x40, 0x02]);
  });
});

describe('BIOS system services', () => {
  it('walks the memory map', () => {
    const { int, cpu, r } = bench();
    const seen: string[] = [];
    let ebx = 0;
    do {
      assert.equal(int(0x15, { eax: 0xe820, ebx, ecx: 20, edx: 0x534d_4150, edi: 0x500, es: 0 }).cf, 0);
      assert.deepEqual([r['eax'], r['ecx']], [0x534d_4150, 20]);
      const view = new DataView(cpu.memory.buffer, 0x500, 20);
      seen.push(`${view.getUint32(0, true).toString(16)}+${view.getUint32(8, true).toString(16)} ${view.getUint32(16, true)}`);
      ebx = r['ebx']!;
    } while (ebx !== 0);
    assert.deepEqual(seen, [
      '0+9fc00 1', '9fc00+400 2', 'f0000+10000 2', '100000+3ef0000 1', '3ff0000+f000 3', '3fff000+1000 4',
      'fec00000+1000 2', 'fee00000+1000 2',
    ]);
    assert.equal(int(0x15, { eax: 0xe820, ebx: 0, ecx: 20, edx: 0 }).cf, 1, 'without the signature');
  }); // prettier-ignore
  it('tells sizes', () => {
    const { int, r } = bench();
    int(0x12);
    assert.equal(r['eax']! & 0xffff, 639);
    int(0x15, { eax: 0x8800 });
    assert.equal(r['eax']! & 0xffff, 63 * 1024 - 64);
    int(0x15, { eax: 0xe801 });
    assert.deepEqual([r['eax']! & 0xffff, r['ebx']! & 0xffff], [15 * 1024, 48 * 16 - 1]);
    int(0x11);
    assert.equal(r['eax']! & 0xffff, 0x0227);
  });
  it('moves blocks above 1 MiB', () => {
    const { int, cpu } = bench();
    cpu.memory.set([1, 2, 3, 4], 0x3000);
    const descriptor = (gpa: number): number[] => [0xff, 0xff, gpa & 0xff, (gpa >> 8) & 0xff, (gpa >> 16) & 0xff, 0x93, 0, gpa >>> 24];
    cpu.memory.set([...descriptor(0x3000), ...descriptor(0x18_0000)], 0x610);
    assert.equal(int(0x15, { eax: 0x8700, ecx: 2, esi: 0x600, es: 0 }).cf, 0);
    assert.deepEqual([...cpu.memory.slice(0x18_0000, 0x18_0004)], [1, 2, 3, 4]);
  }); // prettier-ignore
  it('switches A20', () => {
    const { int, events, r } = bench();
    assert.equal(int(0x15, { eax: 0x2400 }).cf, 0);
    assert.equal(int(0x15, { eax: 0x2401 }).cf, 0);
    assert.deepEqual(events, ['a20 0', 'a20 1']);
    int(0x15, { eax: 0x2402 });
    assert.equal(r['eax']! & 0xff, 1);
  });
  it('waits for a key, and reads it', () => {
    const { int, board, r } = bench();
    assert.equal(int(0x16, { eax: 0x0100 }).zf, 1);
    assert.equal(int(0x16, { eax: 0x0000 }).waits, true);
    board.typeKeyboard('Q');
    for (let i = 0; i < 4; i++) int(0x09); // shift, Q, and their releases
    assert.equal(int(0x16, { eax: 0x0100 }).zf, 0);
    assert.equal(int(0x16, { eax: 0x0000 }).waits, false);
    assert.equal(r['eax']! & 0xffff, 0x1051);
    assert.equal(int(0x16, { eax: 0x0000 }).waits, true);
  });
  it('keeps time', () => {
    const { int, r, cpu } = bench();
    int(0x1a, { eax: 0x0200 });
    assert.deepEqual([r['ecx']! & 0xffff, r['edx']! & 0xffff], [0x0708, 0x0900]);
    int(0x1a, { eax: 0x0400 });
    assert.deepEqual([r['ecx']! & 0xffff, r['edx']! & 0xffff], [0x2024, 0x0506]);
    cpu.memory.set([0xaf, 0x00, 0x18, 0x00], 0x46c);
    int(0x08);
    int(0x1a, { eax: 0x0000 });
    assert.deepEqual([r['eax']! & 0xff, r['ecx']! & 0xffff, r['edx']! & 0xffff], [1, 0, 0], 'midnight');
  });
  it('names what it lacks, ends stray interrupts, and boots again', () => {
    const { int, events, r } = bench();
    assert.equal(int(0x15, { eax: 0x8600 }).cf, 1);
    int(0x14, { eax: 0x0000 });
    int(0x06);
    int(0x0d);
    int(0x18);
    int(0x19);
    assert.deepEqual(events, [
      'BIOS INT 15h AH=86h', 'BIOS INT 14h AH=00h', 'BIOS: exception 06h in real mode without a handler', 'boot failed', 'reboot',
    ]);
    assert.ok(r);
  }); // prettier-ignore
  it('leaves a delay by the same port alone', () => {
    const { board, cpu, events } = bench();
    cpu.segments['cs'] = 0x1000;
    board.bus.writePort(0xee, 1, 0);
    assert.deepEqual(events, []);
  });
});
