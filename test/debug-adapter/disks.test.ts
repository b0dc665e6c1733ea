/** A session with disks: read by the adapter, seen by the guest, and the file is as it was. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InProcess } from './support/in-process';

describe('disks in a session', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'ringside-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('are there from power-on, and survive a restart', async () => {
    const image = join(folder, 'disk.img');
    writeFileSync(image, Buffer.alloc(4096, 7));
    const session = new InProcess();
    await session.launch({ disk: [image, `${image},if=virtio`] });
    const stopped = session.next('stopped');
    await session.request('configurationDone');
    await stopped;
    const devices = (): Record<string, Record<string, unknown>> =>
      session.session.target.machine.inspect.structures(0) as never;
    assert.equal(devices()['ide']?.['primary.drive0.sectors'], 8);
    assert.equal(devices()['virtio.disk1']?.['sectors'], 8);
    await session.request('restart');
    assert.equal(devices()['virtio.disk1']?.['disk'], 'disk.img');
    assert.deepEqual(readFileSync(image), Buffer.alloc(4096, 7));
    await session.request('disconnect');
  });
  it('that are not there are named', async () => {
    const session = new InProcess();
    await session.request('initialize', {});
    const { message } = await session.response('launch', { kernel: 'k', disk: [join(folder, 'none.img')] });
    assert.match(message!, /'disk\[0\]': Cannot read .*none\.img: there is no such file/);
  });
});
