/** Launch attributes: each mistake is named with the attribute, the value and the remedy. */
import assert from 'node:assert/strict';
import { checkLaunch } from '../../debug-adapter/launch';

const refused = (attributes: unknown, message: RegExp): void => {
  it(`refuses ${JSON.stringify(attributes)}`, () => {
    assert.throws(() => checkLaunch(attributes), (error: Error) => error.name === 'UserError' && message.test(error.message));
  });
}; // prettier-ignore

describe('launch attributes', () => {
  const kernel = 'a.elf';
  refused(undefined, /no attributes.*"kernel"/);
  refused({}, /attribute 'kernel' is missing; give a string/);
  refused({ kernel: 42 }, /'kernel' is 42; give a string/);
  refused({ kernel: ' ' }, /'kernel' is empty/);
  refused({ kernel, memory: 'lots' }, /'memory' is "lots"; give whole MiB .*"256M"/);
  refused({ kernel, memory: '1500K' }, /'memory'/);
  refused({ kernel, memory: '64G' }, /'memory' is "64G".*3072M/);
  refused({ kernel, memory: 12 }, /'memory' is 12/);
  refused({ kernel, cpu: 4 }, /'cpu'/);
  refused({ kernel, cpus: 0 }, /'cpus' is 0; give a whole number from 1 to 8/);
  refused({ kernel, cpus: 1.5 }, /'cpus' is 1.5/);
  refused({ kernel, module: [1] }, /'module\[0\]' is 1; give a string/);
  refused({ kernel, sourceMap: ['/a'] }, /'sourceMap' is \["\/a"\]; give an object/);
  refused({ kernel, sourceMap: { '/a': 3 } }, /'sourceMap.\/a' is 3; give a string/);
  refused({ kernel, maxInstructions: -1 }, /'maxInstructions' is -1; give a whole number from 1/);
  refused({ kernel, tier: 'jit' }, /'tier' is "jit"; give "interpreter" or "compiler"/);
  refused({ kernel, technique: 'magic' }, /'technique' is "magic"; give "none" or/);
  refused({ kernel, paging: 'shadow' }, /'paging' is "shadow".*remove it/);
  refused(
    { kernel, disk: 'd,if=scsi' },
    /attribute 'disk\[0\]' is "d,if=scsi".* no option of a disk; give one of if=ide/,
  );
  refused({ kernel, disk: ['d', 'e,writeback'] }, /'disk\[1\]' is "e,writeback": .* leave writeback out/);
  refused({ kernel, console: 'vga' }, /'console' is "vga"; give "serial" or "virtio"/);
  refused({ kernel, firmware: 'bios.bin' }, /'firmware' starts what is on a disk.*'kernel' out/);
  refused({ firmware: 'bios.bin', append: 'x' }, /'append' goes with a kernel/);
  refused({ kernel, vgaRom: 'v' }, /'vgaRom' .* give 'firmware', too/);
  refused({ kernel, record: true }, /'record' is not available.*remove it/);

  it('accepts what the contract names', () => {
    const { config, remarks } = checkLaunch({
      type: 'ringside', name: 'x', request: 'launch', __sessionId: 'y', kernel, initrd: 'i', module: 'm', append: 'exit',
      memory: '1G', cpus: 1, input: 'yes\n', symbols: ['s'], sourceMap: { '/a': '/b' }, stopOnEntry: true,
      maxInstructions: 5, tier: 'interpreter', cpu: 'nehalem,+smap', technique: 'none', record: false,
    }); // prettier-ignore
    assert.deepEqual(remarks, []);
    assert.equal(config.memory, 1 << 30);
    assert.equal(config.cpu, 'nehalem,+smap');
    assert.deepEqual(config.module, ['m']);
  });

  it('accepts disks, and firmware without a kernel', () => {
    const { config } = checkLaunch({ firmware: 'bios.bin', vgaRom: 'v', disk: 'd,if=virtio', console: 'virtio' });
    assert.deepEqual([config.disk, config.kernel], [['d,if=virtio'], undefined]);
  });

  it('remarks on attributes that nobody knows', () => {
    const { remarks } = checkLaunch({ kernel, modules: ['m'], colour: 'red' });
    assert.deepEqual(remarks, [
      "Launch attribute 'modules' is not known and has no effect; did you mean 'module'?",
      "Launch attribute 'colour' is not known and has no effect.",
    ]);
  });
});
