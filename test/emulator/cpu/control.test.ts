/** Control registers, MSRs, CPUID: what may be written, what follows from it. */
import assert from 'node:assert/strict';
import { CR0, CR4, GPR } from '../../../emulator/x86/registers';
import { Bench } from './fixture';

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
    ['XSS: no supervisor component', 0xda0, 0n, 0n],
    ['XSS: a bit', 0xda0, 0x100n, '#GP(0)'],
    ['SPEC_CTRL: IBRS and STIBP', 0x48, 3n, 3n],
    ['SPEC_CTRL: SSBD, which nothing needs', 0x48, 4n, '#GP(0)'],
    ['PRED_CMD is write-only', 0x49, 1n, '#GP(0)'],
    ['ARCH_CAPABILITIES is read-only', 0x10a, 0n, '#GP(0)'],
    ['machine-check bank 3: control', 0x40c, 0xffn, 0xffn],
    ['machine-check bank 0: status takes 0 only', 0x401, 1n, '#GP(0)'],
    ['machine-check bank 4', 0x410, 0n, '#GP(0)'],
    ['MISC_FEATURES: CPUID does not fault', 0x140, 1n, '#GP(0)'],
    ["AMD's HWCR on an Intel model", 0xc001_0015, 0n, '#GP(0)'],
  ];
  for (const [name, index, value, want] of rows)
    it(`${name}`, () => {
      const b = new Bench().long();
      const written = msr(b, index, value);
      if (typeof want === 'string') assert.equal(written === 'ok' ? msr(b, index) : written, want);
      else assert.equal((assert.equal(written, 'ok'), msr(b, index)), want);
    });
  it('what a model does not have is #GP and no lack', () => {
    const b = new Bench('core2').long();
    for (const index of [0xda0, 0x48, 0x10a, 0xc000_0103, 0xc001_0015, 0x6e0]) assert.equal(msr(b, index), '#GP(0)');
    assert.deepEqual(b.unsupported, []);
    assert.equal(msr(new Bench('epyc').long(), 0xc001_0015), 1n << 24n);
    assert.equal(msr(new Bench('epyc').long(), 0x3a), '#GP(0)');
  });
  it('a deadline moves with the TSC', () => {
    for (const index of [0x10, 0x3b]) {
      const b = new Bench().long();
      const written: bigint[] = [];
      b.cpu.interrupts.readMsr = () => 5000n;
      b.cpu.interrupts.writeMsr = (_, value) => written.push(value) > 0;
      assert.equal(msr(b, index, 77n), 'ok');
      assert.deepEqual(written, [5000n], 'armed again');
    }
  });
  it('x2APIC mode needs the feature', () => {
    assert.equal(msr(new Bench('core2').long(), 0x1b, 0xfee0_0d00n), '#GP(0)');
    assert.equal(msr(new Bench('max').long(), 0x1b, 0xfee0_0d00n), 'ok');
  });
  it('RDRAND: new numbers each time, the same in every run, CF alone', () => {
    const draw = (): bigint[] => {
      const b = new Bench().long();
      b.state.rflags = 0x8d7;
      return [0, 1, 2].map(() => {
        assert.equal(b.execute('480fc7f0'), 'ok');
        assert.equal(b.state.rflags & 0x8d5, 1);
        return b.state.gpr(GPR.RAX);
      });
    };
    assert.equal(new Set(draw()).size, 3);
    assert.deepEqual(draw(), draw());
  });
  it('CPUID 0DH follows XCR0; 15H: TSC and APIC timer from one crystal; AMD reserves what is beyond', () => {
    const b = new Bench().long();
    const leaf = (eax: number, ecx = 0): readonly number[] => b.cpu.cpuid(eax, ecx).map((v) => v >>> 0);
    assert.deepEqual(leaf(0xd).slice(1, 2), [576]);
    b.state.setSystem('xcr0', 7n);
    assert.deepEqual(leaf(0xd).slice(1, 2), [832]);
    const [denominator, numerator, crystal] = leaf(0x15);
    assert.equal((crystal * numerator) / denominator, 100_000_000);
    assert.deepEqual(leaf(0x1000), leaf(0x16), "the last leaf's answer");
    assert.deepEqual(new Bench('epyc').cpu.cpuid(0x1000, 0), [0, 0, 0, 0]);
    // Programs that read FFh in leaf 2 ask leaf 4 until it says that there is no more.
    for (const model of ['pentium3', 'core2', 'max']) {
      const { cpu } = new Bench(model);
      const more = (cpu.cpuid(2, 0) as readonly number[]).some((word) =>
        [0, 8, 16, 24].some((at) => ((word >>> at) & 0xff) === 0xff),
      );
      assert.equal(more, (cpu.cpuid(0, 0)[0] as number) >= 4, model);
    }
    assert.deepEqual(new Bench('haswell').cpu.cpuid(1, 0)[0].toString(16), '306c3');
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
