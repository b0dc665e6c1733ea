/** System instructions: who may, what changes, what is refused. */
import assert from 'node:assert/strict';
import { ROWS } from '../../../emulator/isa/opcodes';
import { CR0, CR4, GPR, RFLAGS, SEG } from '../../../emulator/x86/registers';
import { Bench, GDT, TSS } from '../cpu/fixture';

describe('privilege', () => {
  /** In 64-bit code. Register operands are 0, memory operands at [RBX] = 6000h. */
  const privileged: [string, string][] = [
    ['mov rax,cr0', '0f20c0'], ['mov cr0,rax', '0f22c0'], ['mov rax,dr7', '0f21f8'], ['mov dr7,rax', '0f23f8'], ['clts', '0f06'],
    ['lmsw ax', '0f01f0'], ['invlpg [rbx]', '0f013b'], ['invpcid rax,[rbx]', '660f388203'], ['invd', '0f08'], ['wbinvd', '0f09'],
    ['lgdt [rbx]', '0f0113'], ['lidt [rbx]', '0f011b'], ['lldt ax', '0f00d0'], ['ltr ax', '0f00d8'], ['swapgs', '0f01f8'],
    ['rdmsr', '0f32'], ['wrmsr', '0f30'], ['hlt', 'f4'], ['sysret', '480f07'], ['sysexit', '0f35'],
  ]; // prettier-ignore
  for (const [name, code] of privileged)
    it(`${name} at level 3: #GP(0)`, () => {
      const b = new Bench().long(3);
      b.state.setGpr(GPR.RBX, 0x6000n);
      assert.equal(b.execute(code), '#GP(0)');
    });
  it('every row marked privileged is in this list', () => {
    const names = new Set(privileged.map(([text]) => text.split(' ')[0]));
    for (const row of ROWS)
      if (row.attributes.privileged && row.attributes.feature !== 'xsave')
        assert.ok(names.has(row.mnemonic), row.mnemonic);
  });
  const allowed: [string, string, string][] = [
    ['smsw eax', '0f01e0', 'ok'], ['sgdt [rbx]', '0f0103', 'ok'], ['sidt [rbx]', '0f010b', 'ok'], ['sldt eax', '0f00c0', 'ok'],
    ['str eax', '0f00c8', 'ok'], ['pushf', '9c', 'ok'], ['popf', '9d', 'ok'], ['lar eax,eax', '0f02c0', 'ok'], ['lsl eax,eax', '0f03c0', 'ok'],
    ['verr ax', '0f00e0', 'ok'], ['verw ax', '0f00e8', 'ok'], ['mov eax,cs', '8cc8', 'ok'], ['cpuid', '0fa2', 'ok'], ['rdtsc', '0f31', 'ok'],
    ['cli', 'fa', '#GP(0)'], ['sti', 'fb', '#GP(0)'], ['in al,60h', 'e460', '#GP(0)'], ['out dx,al', 'ee', '#GP(0)'], ['insb', '6c', '#GP(0)'],
    ['clac', '0f01ca', '#UD'], ['stac', '0f01cb', '#UD'], ['rdpmc', '0f33', '#GP(0)'], ['rsm', '0faa', '#UD'], ['ud2', '0f0b', '#UD'],
    ['rdfsbase rax', 'f3480faec0', '#UD'], ['xgetbv', '0f01d0', '#UD'],
  ]; // prettier-ignore
  for (const [name, code, want] of allowed)
    it(`${name} at level 3: ${want}`, () => {
      const b = new Bench().long(3);
      b.state.setGpr(GPR.RBX, 0x6000n);
      assert.equal(b.execute(code), want);
    });
  it('UMIP takes SGDT, SIDT, SLDT, STR, SMSW from level 3', () => {
    for (const code of ['0f0103', '0f010b', '0f00c0', '0f00c8', '0f01e0']) {
      const b = new Bench().long(3);
      b.state.setGpr(GPR.RBX, 0x6000n);
      b.state.setSystem('cr4', b.state.system('cr4') | BigInt(CR4.UMIP));
      assert.equal(b.execute(code), '#GP(0)', code);
    }
  });
  it('real mode knows no SLDT, LAR, ARPL: #UD', () => {
    for (const code of ['0f00c0', '0f02c0', '0f00e0', '63c0'])
      assert.equal(new Bench().real().execute(code), '#UD', code);
  });
});

describe('POPF, PUSHF, CLI, STI', () => {
  const ALL = 0x0024_7fd5 & ~RFLAGS.TF;
  /** CPL, IOPL, image popped from 0: which of IF (200), IOPL (3000) came through. Real mode: level 0. */
  const rows: [string, number, number, number][] = [
    ['level 0', 0, 0, 0x3200],
    ['level 3, IOPL 3', 3, 3, 0x3200],
    ['level 3, IOPL 0', 3, 0, 0x0000],
  ];
  for (const [name, cpl, iopl, want] of rows)
    it(`POPF at ${name}`, () => {
      const b = new Bench().protect(cpl);
      b.state.rflags = 2 | (iopl << 12);
      b.put(0x8000, 4, ALL);
      assert.equal(b.execute('9d'), 'ok');
      assert.equal(b.state.rflags & 0x3200, cpl === 0 ? want : iopl === 3 ? 0x3200 : want, 'IF and IOPL');
      assert.equal(b.state.rflags & ~0x3200, (ALL & ~0x3200) | 2);
      assert.equal(b.state.gpr(GPR.RSP), 0x8004n);
    });
  it('POPF at level 3 cannot raise IOPL even when IOPL is 3, nor with IF below it: silently', () => {
    const b = new Bench().protect(3);
    b.state.rflags = 0x202;
    b.put(0x8000, 4, 0x3002);
    assert.equal(b.execute('9d'), 'ok');
    assert.equal(b.state.rflags, 0x202);
  });
  it('16-bit POPF leaves the upper half', () => {
    const b = new Bench().protect();
    b.state.rflags = 0x24_0002;
    b.put(0x8000, 2, 0x3);
    assert.equal(b.execute('669d'), 'ok');
    assert.equal(b.state.rflags, 0x24_0003);
    assert.equal(b.state.gpr(GPR.RSP), 0x8002n);
  });
  it('virtual-8086 mode below IOPL 3: each is #GP(0)', () => {
    for (const code of ['9c', '9d', 'fa', 'fb']) {
      assert.equal(new Bench().virtual(2).execute(code), '#GP(0)', code);
      assert.equal(new Bench().virtual(3).execute(code), 'ok', code);
    }
  });
  it('PUSHF hides VM and RF', () => {
    const b = new Bench().virtual(3);
    assert.equal(b.execute('669c'), 'ok');
    assert.equal(b.get(0x2_0fec, 4), 0x3202);
  });
  it('STI opens interrupts after the next instruction, and only if they were closed', () => {
    const b = new Bench().protect();
    b.execute('fb');
    assert.equal(b.state.system('interruptibility'), 1n);
    b.state.setSystem('interruptibility', 0n);
    b.execute('fb');
    assert.equal(b.state.system('interruptibility'), 0n);
  });
});

describe('segment registers', () => {
  const LDT_CODE = 0x40;
  /** MOV Sreg,AX with the selector, at a level. */
  const rows: [string, string, number, number, (b: Bench) => void, string][] = [
    ['DS null', '8ed8', 0, 3, () => {}, 'ok'],
    ['DS data', '8ed8', 0x23, 3, () => {}, 'ok'],
    ['DS of a deeper level', '8ed8', 0x10, 3, () => {}, '#GP(10)'],
    ['DS with a weak RPL', '8ed8', 0x13, 0, () => {}, '#GP(10)'],
    ['DS readable code', '8ed8', 0x08, 0, () => {}, 'ok'],
    ['DS execute-only code', '8ed8', LDT_CODE, 0, (b) => b.descriptor(LDT_CODE, 0, 0xffff, 0x98), '#GP(40)'],
    ['DS conforming code, any level', '8ed8', LDT_CODE, 3, (b) => b.descriptor(LDT_CODE, 0, 0xffff, 0x9e), 'ok'],
    ['DS system segment', '8ed8', 0x28, 0, () => {}, '#GP(28)'],
    ['DS absent', '8ed8', LDT_CODE, 0, (b) => b.descriptor(LDT_CODE, 0, 0xffff, 0x12), '#NP(40)'],
    ['DS beyond the GDT', '8ed8', 0x100, 0, () => {}, '#GP(100)'],
    ['DS in the LDT, without one', '8ed8', 0x44, 0, (b) => b.state.setSegment(SEG.LDTR, { selector: 0, base: 0n, limit: 0, attributes: 0x1_0000 }), '#GP(44)'],
    ['SS null', '8ed0', 0, 0, () => {}, '#GP(0)'],
    ['SS data of the level', '8ed0', 0x10, 0, () => {}, 'ok'],
    ['SS of another RPL', '8ed0', 0x13, 0, () => {}, '#GP(10)'],
    ['SS of another DPL', '8ed0', 0x20, 0, () => {}, '#GP(20)'],
    ['SS read-only', '8ed0', LDT_CODE, 0, (b) => b.descriptor(LDT_CODE, 0, 0xffff, 0x90), '#GP(40)'],
    ['SS absent', '8ed0', LDT_CODE, 0, (b) => b.descriptor(LDT_CODE, 0, 0xffff, 0x12), '#SS(40)'],
    ['CS', '8ec8', 0x08, 0, () => {}, '#UD'],
  ]; // prettier-ignore
  for (const [name, code, selector, cpl, prepare, want] of rows)
    it(`${name}: ${want}`, () => {
      const b = new Bench().protect(cpl);
      prepare(b);
      b.state.setGpr(GPR.RAX, BigInt(selector));
      assert.equal(b.execute(code), want);
    });
  it('loads base, limit with granularity, and marks accessed', () => {
    const b = new Bench().protect();
    b.descriptor(0x40, 0x12345678, 0xfff, 0x92, 0xc);
    b.state.setGpr(GPR.RAX, 0x40n);
    b.execute('8ec0');
    assert.deepEqual(b.state.segment(SEG.ES), {
      selector: 0x40,
      base: 0x12345678n,
      limit: 0xff_ffff,
      attributes: 0xc093,
    });
    assert.equal(b.get(GDT + 0x45, 1), 0x93);
  });
  it('real mode keeps the limit that protected mode left (unreal mode)', () => {
    const b = new Bench().real();
    b.state.setSegment(SEG.ES, { selector: 0, base: 0n, limit: 0xffff_ffff, attributes: 0xc093 });
    b.state.setGpr(GPR.RAX, 0x1234n);
    b.execute('8ec0');
    assert.deepEqual(b.state.segment(SEG.ES), {
      selector: 0x1234,
      base: 0x1_2340n,
      limit: 0xffff_ffff,
      attributes: 0xc093,
    });
  });
  it('MOV SS and POP SS hold interrupts back; LSS does not', () => {
    const b = new Bench().protect();
    b.state.setGpr(GPR.RAX, 0x10n);
    b.execute('8ed0');
    assert.equal(b.state.system('interruptibility'), 2n);
    b.state.setSystem('interruptibility', 0n);
    b.put(0x6000, 4, 0x9000);
    b.put(0x6004, 2, 0x10);
    assert.equal(b.execute('0fb22500600000'), 'ok');
    assert.equal(b.selectors(), '8:7009 10:9000');
    assert.equal(b.state.system('interruptibility'), 0n);
  });
  it('POP that faults leaves ESP', () => {
    const b = new Bench().protect();
    b.put(0x8000, 4, 0x100);
    assert.equal(b.execute('1f'), '#GP(100)');
    assert.equal(b.state.gpr(GPR.RSP), 0x8000n);
  });
  it('64-bit mode: a 16-byte TSS descriptor; LTR marks it busy and refuses it then', () => {
    const b = new Bench().long();
    b.put(GDT + 0x30, 8, 0xffff_8000);
    b.state.setGpr(GPR.RAX, 0x28n);
    assert.equal(b.execute('0f00d8'), 'ok');
    assert.equal(b.state.segmentBase(SEG.TR), 0xffff_8000_0000_0000n | BigInt(TSS));
    assert.equal(b.execute('0f00d8'), '#GP(28)');
  });
  it('LAR, LSL, VERR, VERW, ARPL', () => {
    const b = new Bench().protect(3);
    const ask = (code: string, selector: number): [number, boolean] => {
      b.state.setGpr(GPR.RAX, 0xdeadn);
      b.state.setGpr(GPR.RCX, BigInt(selector));
      assert.equal(b.execute(code), 'ok');
      return [b.state.gpr32(GPR.RAX), (b.state.rflags & RFLAGS.ZF) !== 0];
    };
    assert.deepEqual(ask('0f02c1', 0x23), [0x00c0_f200, true]);
    assert.deepEqual(ask('0f02c1', 0x10), [0xdead, false]);
    assert.deepEqual(ask('0f03c1', 0x1b), [0xffff_ffff, true]);
    assert.deepEqual(ask('0f03c1', 0x28), [0xdead, false]);
    assert.equal(ask('0f00e1', 0x23)[1], true);
    assert.equal(ask('0f00e9', 0x23)[1], true);
    assert.equal(ask('0f00e9', 0x1b)[1], false);
    assert.deepEqual(ask('63c8', 0x3), [0xdeaf, true]);
    assert.deepEqual(ask('63c8', 0x1), [0xdead, false]);
  });
});

describe('ports', () => {
  /** Level 3: a bitmap that allows 60h to 67h. */
  const user = (): Bench => {
    const b = new Bench().protect(3);
    for (let i = 0; i < 0x2000; i++) b.put(TSS + 0x68 + i, 1, i === 0xc ? 0 : 0xff);
    b.state.setSegment(SEG.TR, { ...b.state.segment(SEG.TR), limit: 0x68 + 0x1fff });
    b.bus.port = 0x1234_5678;
    return b;
  };
  const rows: [string, string, number, string, string[]][] = [
    ['in al,60h', 'e460', 0, 'ok', ['in 60 1']],
    ['in eax,64h', 'e564', 0, 'ok', ['in 64 4']],
    ['in eax,65h: the last byte is not allowed', 'e565', 0, '#GP(0)', []],
    ['in al,5fh', 'e45f', 0, '#GP(0)', []],
    ['out dx,ax', '66ef', 0x66, 'ok', ['out 66 2 0']],
    ['in al,dx at the very end, with no byte behind the bitmap', 'ec', 0xffff, '#GP(0)', []],
  ];
  for (const [name, code, dx, want, log] of rows)
    it(`${name}: ${want}`, () => {
      const b = user();
      b.state.setGpr(GPR.RDX, BigInt(dx));
      assert.equal(b.execute(code), want);
      assert.deepEqual(b.bus.log, log);
    });
  it('IN fills the register as its size says', () => {
    const b = user();
    b.state.setGpr(GPR.RAX, 0xffff_ffff_ffff_ffffn);
    b.execute('e460');
    assert.equal(b.state.gpr(GPR.RAX), 0xffff_ffff_ffff_ff78n);
    b.execute('e560');
    assert.equal(b.state.gpr(GPR.RAX), 0x1234_5678n);
  });
  it('REP INSB: one iteration an instruction; a page that cannot be written is noticed before the port is read', () => {
    const b = new Bench().protect();
    b.state.setGpr(GPR.RCX, 2n);
    b.state.setGpr(GPR.RDI, 0x6000n);
    b.state.setGpr(GPR.RDX, 0x60n);
    b.execute('f36c');
    assert.deepEqual([b.state.rip, b.state.gpr(GPR.RCX), b.state.gpr(GPR.RDI)], [0x7000n, 1n, 0x6001n]);
    b.execute('f36c');
    assert.deepEqual([b.state.rip, b.state.gpr(GPR.RCX), b.state.gpr(GPR.RDI)], [0x7002n, 0n, 0x6002n]);
    b.state.setSegment(SEG.ES, { ...b.state.segment(SEG.ES), limit: 0x5fff });
    assert.equal(b.execute('6c'), '#GP(0)');
    assert.equal(b.bus.log.length, 2);
    const c = new Bench().long();
    c.state.setGpr(GPR.RDI, 0x20_0000n);
    assert.equal(c.execute('6c'), '#PF(2)');
    assert.deepEqual(c.bus.log, []);
  });
});

describe('control registers', () => {
  const rows: [string, () => Bench, string, bigint, string][] = [
    ['CR0: PG without PE', () => new Bench().protect(), '0f22c0', 0x8000_0010n, '#GP(0)'],
    ['CR0: NW without CD', () => new Bench().protect(), '0f22c0', 0x2000_0011n, '#GP(0)'],
    ['CR0: upper half', () => new Bench().long(), '0f22c0', 0x1_8000_0011n, '#GP(0)'],
    ['CR0: PG off in 64-bit mode', () => new Bench().long(), '0f22c0', 0x11n, '#GP(0)'],
    ['CR1', () => new Bench().long(), '0f22c8', 0n, '#UD'],
    ['CR3: beyond the physical address', () => new Bench().long(), '0f22d8', 1n << 40n, '#GP(0)'],
    ['CR4: unknown bit', () => new Bench().long(), '0f22e0', 0x8000_0020n, '#GP(0)'],
    ['CR4: PAE off in IA-32e mode', () => new Bench().long(), '0f22e0', 0n, '#GP(0)'],
    ['CR4: PCIDE with bits in CR3', () => { const b = new Bench().long(); b.state.setSystem('cr3', b.state.system('cr3') | 8n); return b; }, '0f22e0', 0x2_0020n, '#GP(0)'],
    ['CR4: PCIDE outside IA-32e mode', () => new Bench().protect(), '0f22e0', 0x2_0020n, '#GP(0)'],
    ['CR8: more than four bits', () => new Bench().long(), '440f22c0', 16n, '#GP(0)'],
    ['CR8', () => new Bench().long(), '440f22c0', 15n, 'ok'],
  ]; // prettier-ignore
  for (const [name, make, code, value, want] of rows)
    it(`${name}: ${want}`, () => {
      const b = make();
      b.state.setGpr(GPR.RAX, value);
      assert.equal(b.execute(code), want);
    });
  it('LME, then PG: IA-32e mode; PG with PAE off is refused', () => {
    const b = new Bench().protect();
    b.state.setSystem('efer', 0x100n);
    b.state.setGpr(GPR.RAX, BigInt((CR0.PE | CR0.PG) >>> 0));
    assert.equal(b.execute('0f22c0'), '#GP(0)');
    b.state.setSystem('cr4', 0x20n);
    assert.equal(b.execute('0f22c0'), 'ok');
    assert.equal(b.state.system('efer'), 0x500n);
    b.state.setGpr(GPR.RAX, BigInt(CR0.PE));
    assert.equal(b.execute('0f22c0'), 'ok');
    assert.equal(b.state.system('efer'), 0x100n);
  });
  it('PAE: reserved bits in a PDPTE make MOV CR3 fault and leave it', () => {
    const b = new Bench().protect();
    b.state.setSystem('cr4', 0x20n);
    b.state.setSystem('cr0', BigInt((CR0.PE | CR0.PG | CR0.ET) >>> 0));
    b.put(0x3000, 8, 0x5003);
    b.state.setGpr(GPR.RAX, 0x3000n);
    assert.equal(b.execute('0f22d8'), '#GP(0)');
    assert.equal(b.state.system('cr3'), 0n);
    b.put(0x3000, 8, 0x5001);
    assert.equal(b.execute('0f22d8'), 'ok');
    assert.equal(b.state.system('pdpte0'), 0x5001n);
  });
  it('LMSW sets PE and never clears it', () => {
    const b = new Bench().protect();
    b.state.setGpr(GPR.RAX, 0xfff0n);
    b.execute('0f01f0');
    assert.equal(b.state.system('cr0') & 15n, 1n);
  });
});

describe('MSRs, CPUID, TSC', () => {
  const msr = (b: Bench, index: number, value?: bigint): string | bigint => {
    b.state.setGpr(GPR.RCX, BigInt(index));
    if (value !== undefined) {
      b.state.setGpr(GPR.RAX, value & 0xffff_ffffn);
      b.state.setGpr(GPR.RDX, value >> 32n);
      return b.execute('0f30');
    }
    const result = b.execute('0f32');
    return result === 'ok' ? (BigInt(b.state.gpr32(GPR.RDX)) << 32n) | BigInt(b.state.gpr32(GPR.RAX)) : result;
  };
  const rows: [string, number, bigint, string | bigint][] = [
    ['EFER: LMA is read-only', 0xc000_0080, 0x501n, 0x501n],
    ['EFER: LME under paging', 0xc000_0080, 0x401n, '#GP(0)'],
    ['EFER: unknown bit', 0xc000_0080, 0x1501n, '#GP(0)'],
    ['LSTAR canonical', 0xc000_0082, 0xffff_8000_0000_0000n, 0xffff_8000_0000_0000n],
    ['LSTAR not canonical', 0xc000_0082, 0x8000_0000_0000n, '#GP(0)'],
    ['GS base', 0xc000_0101, 0x1234n, 0x1234n],
    ['PAT: a type that does not exist', 0x277, 2n, '#GP(0)'],
    ['TSC', 0x10, 5000n, 5000n],
    ['TSC_ADJUST', 0x3b, 7n, 7n],
    ['MTRRCAP is read-only', 0xfe, 0n, '#GP(0)'],
    ['unknown', 0x1234, 0n, '#GP(0)'],
  ];
  for (const [name, index, value, want] of rows)
    it(`${name}`, () => {
      const b = new Bench().long();
      const written = msr(b, index, value);
      if (typeof want === 'string') assert.equal(written, want);
      else assert.equal((assert.equal(written, 'ok'), msr(b, index)), want);
    });
  it('an unknown MSR is reported once', () => {
    const b = new Bench().long();
    msr(b, 0x1234);
    msr(b, 0x1234);
    assert.deepEqual(b.unsupported, ['read of MSR 0x1234']);
  });
  it('CPUID: vendor, features that follow the modes, brand', () => {
    const b = new Bench().long();
    const leaf = (eax: number, ecx = 0): readonly number[] => b.cpu.cpuid(eax, ecx).map((v) => v >>> 0);
    const text = (words: readonly number[]): string => Buffer.from(new Uint32Array(words).buffer).toString('latin1');
    const [, ebx, ecx, edx] = leaf(0);
    assert.equal(text([ebx, edx, ecx]), 'GenuineIntel');
    assert.equal(leaf(1)[3] & (1 << 9), 1 << 9, 'APIC');
    assert.match(
      text([...leaf(0x8000_0002), ...leaf(0x8000_0003), ...leaf(0x8000_0004)]),
      /^Ringside Virtual Processor/,
    );
    assert.equal(leaf(0x8000_0001)[3] & (1 << 11), 1 << 11, 'SYSCALL in 64-bit mode');
    assert.equal(new Bench().protect().cpu.cpuid(0x8000_0001, 0)[3] & (1 << 11), 0, 'and nowhere else');
    assert.equal(leaf(0x8000_0008)[0], 0x3028);
  });
  it('RDTSC counts ticks; TSD keeps it from level 3', () => {
    const b = new Bench().long(3);
    b.execute('0f31');
    assert.equal(b.state.gpr(GPR.RAX), 1000n);
    b.state.setSystem('cr4', b.state.system('cr4') | BigInt(CR4.TSD));
    assert.equal(b.execute('0f31'), '#GP(0)');
  });
});

describe('debug registers', () => {
  it('MOV DR: fixed bits, aliases, general detect', () => {
    const b = new Bench().protect();
    b.state.setGpr(GPR.RAX, 0xffff_ffffn & ~0x2000n);
    b.execute('0f23f8');
    assert.equal(b.state.system('dr7'), 0xffff_07ffn);
    b.execute('0f23e0');
    assert.equal(b.state.system('dr6'), 0xffff_cfffn);
    b.state.setSystem('cr4', BigInt(CR4.DE));
    assert.equal(b.execute('0f23e0'), '#UD');
    b.state.setSystem('dr7', 0x2400n);
    assert.equal(b.execute('0f21f8'), '#DB');
    assert.equal(b.state.system('dr6') & 0x2000n, 0x2000n);
  });
  it('an instruction breakpoint faults before the instruction, unless RF', () => {
    const b = new Bench().protect();
    b.state.setSystem('dr1', 0x7000n);
    b.cpu.writeDebug(7, 0x404n);
    assert.ok(b.cpu.debug.armed());
    assert.equal(b.cpu.debug.checkInstruction()?.vector, 1);
    assert.equal(b.state.system('dr6') & 15n, 2n);
    b.state.systemFlags |= RFLAGS.RF;
    assert.equal(b.cpu.debug.checkInstruction(), undefined);
  });
  it('a data breakpoint traps after the access, whatever the TLB held', () => {
    const b = new Bench().protect();
    b.cpu.write(0x6000n, 4, 1n);
    b.state.setSystem('dr0', 0x6004n);
    b.cpu.writeDebug(7, 0xd_0401n);
    b.cpu.write(0x6000n, 4, 2n);
    assert.equal(b.cpu.debug.afterInstruction(false, false), undefined);
    b.cpu.write(0x6006n, 1, 2n);
    assert.equal(b.cpu.debug.afterInstruction(false, false)?.trap, true);
    assert.equal(b.state.system('dr6') & 15n, 1n);
    assert.equal(b.cpu.debug.afterInstruction(false, false), undefined);
    b.cpu.read(0x6004n, 1);
    assert.equal(b.cpu.debug.afterInstruction(false, false), undefined, 'reads do not count for a write breakpoint');
  });
  it('TF traps with BS', () => {
    const b = new Bench().protect();
    assert.equal(b.cpu.debug.afterInstruction(true, false)?.vector, 1);
    assert.equal(b.state.system('dr6') & 0x4000n, 0x4000n);
  });
});
