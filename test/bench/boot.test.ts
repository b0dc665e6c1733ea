/** The boot part of the bench as far as the kernel's first line: the run ends there, and its figures are some. Nothing is timed. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { onOurs, PACKAGE } from '../../bench/boot';
import { kernelOf } from '../../scripts/initramfs';
import { join } from 'node:path';
import { workFolder } from '../../bench/support/bundle';
import { vmlinuxOf } from '../../scripts/vmlinux';

describe('bench: boot', () => {
  it('ends at the line that was asked for, and measures', function () {
    if (!existsSync(PACKAGE)) this.skip();
    const kernel = join(workFolder(), 'vmlinux-small');
    writeFileSync(kernel, vmlinuxOf(kernelOf(PACKAGE)));
    const { wall, cpu, codeBytes } = onOurs({ kernel }, 'Linux version');
    assert.ok(wall > 0 && cpu > 0 && codeBytes! > 0);
  }).timeout(60_000);
});
