/** VT-x and AMD-V by our own hypervisor: the guest cannot tell, to the last bit; what it leaves for is what was asked for. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createMachine } from '../../../emulator/index';
import type { MachineConfig, Paging } from '../../../emulator/index';
import type { Pc } from '../../../emulator/machine/machine';
import { RFLAGS } from '../../../emulator/x86/registers';

const kernel = readFileSync(new URL('../../../guests/sample/sample.elf', import.meta.url));
const EAGER: MachineConfig['tier'] = { threshold: 25, batch: 4, moduleBytes: 100_000 };
const boot = (config: Partial<MachineConfig>): { machine: Pc; text: () => string } => {
  const machine = createMachine({ memory: 16 << 20, cpus: 1, tier: EAGER, ...config }) as Pc;
  let said = '';
  machine.onConsole = (bytes) => (said += String.fromCharCode(...bytes));
  machine.boot({ name: 'sample.elf', kernel, append: 'exit' });
  return { machine, text: () => said };
};
const counts = ({ virtualization }: Pc): Record<string, number> =>
  Object.fromEntries([...virtualization!.exits.counts].map(([reason, { count }]) => [reason, count]));

for (const technique of ['vt-x', 'amd-v'] as const)
  describe(technique, () => {
    const bare = boot({});
    const stop = bare.machine.run(1_000_000);
    const expected = bare.machine.stateHash();

    for (const paging of ['nested', 'shadow'] as const satisfies readonly Paging[])
    for (const [name, tier] of [['interpreter', 'interpreter'], ['compiler', EAGER]] as const)
      it(`the guest ends in the state of the bare machine: ${paging}, ${name}`, () => {
        const { machine, text } = boot({ technique, paging, tier });
        assert.deepEqual(machine.run(1_000_000), stop);
        assert.equal(machine.stateHash(), expected);
        assert.equal(text(), bare.text());
      }); // prettier-ignore

    it('does so however it is sliced, and one instruction at a time in between', () => {
      const { machine } = boot({ technique, paging: 'shadow' });
      let last = machine.run(50_000);
      for (let i = 0; i < 2_000; i++) last = machine.run(1);
      while (last.kind === 'limit') last = machine.run(7_777);
      assert.deepEqual(last, stop);
      assert.equal(machine.stateHash(), expected);
    });

    for (const paging of ['nested', 'shadow'] as const)
      it(`goes on from a snapshot as if nothing had happened, ${paging}`, () => {
        const { machine } = boot({ technique, paging });
        machine.run(100_000);
        const saved = machine.save();
        machine.run(30_000);
        machine.restore(saved);
        assert.deepEqual(machine.run(1_000_000), stop);
        assert.equal(machine.stateHash(), expected);
      });

    it('a state that its processor may not be entered in ends the guest, and says which check refused it', () => {
      const { machine } = boot({ technique });
      machine.cpus[0].state.setSystem('dr7', 1n << 40n);
      const refused = machine.run(1000);
      assert.equal(refused.kind, 'crash');
      if (refused.kind === 'crash')
        assert.match(
          refused.reason,
          /refuses its state: (GUEST_)?DR7.*bits 63:32 must be 0 \((SDM vol. 3C 27|APM vol. 2 15)/,
        );
      assert.equal(machine.run(1000).kind, 'crash');
    });

    it('is entered behind MOV SS with a single step pending', () => {
      const [bareCpu, guest] = [boot({}), boot({ technique })];
      for (const { machine } of [bareCpu, guest]) {
        const [{ state }] = machine.cpus;
        state.rflags |= RFLAGS.TF;
        state.setSystem('interruptibility', 2n);
        machine.run(1);
      }
      assert.equal(guest.machine.stateHash(), bareCpu.machine.stateHash());
    });

    it('nested paging leaves for devices alone, shadow paging for page tables, too', () => {
      const [nested, shadow] = (['nested', 'shadow'] as const).map((paging) => {
        const { machine } = boot({ technique, paging });
        machine.run(1_000_000);
        return counts(machine);
      });
      assert.deepEqual(Object.keys(nested).sort(), ['hlt', 'io', 'msr-read', 'msr-write']);
      for (const reason of ['shadow-fault', 'page-table-write', 'cr-access', 'reflected-event'])
        assert.ok(shadow[reason] > 0, reason);
      assert.equal(shadow.io, nested.io);
    });

    it('exits carry what the VMCB said', () => {
      const { machine } = boot({ technique });
      const { exits } = machine.virtualization!;
      exits.filter = (exit) => exit.reason === 'msr-write';
      const stopped = machine.run(1_000_000);
      assert.equal(stopped.kind, 'vm-exit');
      if (stopped.kind !== 'vm-exit') return;
      const { code, cause, mnemonic, gva, cpl } = stopped.exit;
      // WRMSR is reason 32 (SDM vol. 3C appendix C), MSR code 7Ch (APM vol. 2 appendix C); EFER.
      assert.deepEqual(
        [code, cause, mnemonic, cpl],
        [technique === 'vt-x' ? 32 : 0x7c, { reason: 'msr-write', msr: 0xc000_0080 }, 'wrmsr', 0],
      );
      assert.equal(machine.inspect.pc(0), gva);
      exits.filter = undefined;
      assert.deepEqual(machine.run(1_000_000), stop);
      assert.equal(machine.stateHash(), expected);
    });
  });
