/** System instructions: who may, what changes, what is refused. */
import assert from 'node:assert/strict';
import { ROWS } from '../../../emulator/isa/opcodes';
import { CR4, GPR, RFLAGS, SEG } from '../../../emulator/x86/registers';
import { Bench, TSS } from '../cpu/fixture';

describe('privilege', () => {
  /** In 64-bit code. Register operands are 0, memory operands at [RBX] = 6000h. */
  const privileged: [string, string][] = [
    ['mov rax,cr0', '0f20c0'], ['mov cr0,rax', '0f22c0'], ['mov rax,dr7', '0f21f8'], ['mov dr7,rax', '0f23f8'], ['clts', '0f06'],
    ['lmsw ax', '0f01f0'], ['invlpg [rbx]', '0f013b'], ['invpcid rax,[rbx]', '660f388203'], ['invd', '0f08'], ['wbinvd', '0f09'],
    ['lgdt [rbx]', '0f0113'], ['lidt [rbx]', '0f011b'], ['lldt ax', '0f00d0'], ['ltr ax', '0f00d8'], ['swapgs', '0f01f8'],
    ['rdmsr', '0f32'], ['wrmsr', '0f30'], ['hlt', 'f4'], ['sysret', '480f07'], ['sysexit', '0f35'],
    ['xsaves [rbx]', '0fc72b'], ['xrstors [rbx]', '0fc71b'],
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
      if (row.attributes.privileged && row.attributes.feature !== 'xsave' && row.attributes.feature !== 'svm')
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
  it('INVPCID: its type is a whole register of 64 bits, whatever REX.W says', () => {
    for (const [type, outcome] of [[2n, 'ok'], [4n, '#GP(0)'], [(1n << 32n) | 2n, '#GP(0)']] as const) {
      const b = new Bench().long();
      b.state.setGpr(GPR.RAX, type);
      b.state.setGpr(GPR.RBX, 0x6000n);
      assert.equal(b.execute('660f388203'), outcome);
    }
  }); // prettier-ignore
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
