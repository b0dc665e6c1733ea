import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type * as vscode from 'vscode';
import { files, reset, shown, Uri } from './support/fake-vscode';
import {
  checkLaunchConfiguration,
  provideLaunchConfigurations,
  resolveLaunchConfiguration,
} from '../../extension/launch-config';

const elf = (type: number, machine: number): Uint8Array => {
  const bytes = new Uint8Array(64);
  // 64 bits, little-endian, without segments.
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  bytes[16] = type;
  bytes[18] = machine;
  return bytes;
};
const KERNEL = elf(2, 62);
const bzImage = (): Uint8Array => {
  const bytes = new Uint8Array(0x300);
  bytes.set([0x55, 0xaa], 0x1fe);
  bytes.set(new TextEncoder().encode('HdrS'), 0x202);
  return bytes;
};

const folderAt = (uri: string): vscode.WorkspaceFolder =>
  ({ uri: Uri.parse(uri), name: 'work', index: 0 }) as unknown as vscode.WorkspaceFolder;
const DISK = folderAt('file:///project');
const WEB = folderAt('workspace:/sample');

const launch = (more: object): vscode.DebugConfiguration => ({
  type: 'ringside',
  request: 'launch',
  name: 'test',
  ...more,
});

describe('launch configurations', () => {
  beforeEach(reset);

  it('finds kernels by name and content, not in hidden folders', async () => {
    files.set('file:///project/build/kernel.elf', KERNEL);
    files.set('file:///project/boot/vmlinuz-6.1', bzImage());
    files.set('file:///project/libc.elf', elf(3, 62));
    files.set('file:///project/arm.elf', elf(2, 40));
    files.set('file:///project/notes.elf', new TextEncoder().encode('not one'));
    files.set('file:///project/.cache/kernel.elf', KERNEL);
    const found = await provideLaunchConfigurations(DISK);
    assert.deepEqual(
      found.map(({ kernel }) => kernel),
      ['boot/vmlinuz-6.1', 'build/kernel.elf'],
    );
  });

  it('offers boot sectors with the ELF file that they were made of, and disks where nothing else boots', async () => {
    const sector = new Uint8Array(512);
    sector.set([0x55, 0xaa], 0x1fe);
    const attributes = async (): Promise<object[]> =>
      (await provideLaunchConfigurations(DISK)).map(({ type: _, request: __, name: ___, ...each }) => each);
    files.set('file:///project/boot.elf', KERNEL);
    files.set('file:///project/data.img', new Uint8Array(512));
    files.set('file:///project/boot.img', sector);
    assert.deepEqual(await attributes(), [{ kernel: 'boot.img', symbols: 'boot.elf' }]);
    files.set('file:///project/boot.bin', sector);
    files.set('file:///project/kernel.elf', KERNEL);
    assert.deepEqual(await attributes(), [{ kernel: 'boot.bin', symbols: 'boot.elf' }, { kernel: 'kernel.elf' }]);
  });

  it('offers with a kernel what lies beside it, and disks where there is a BIOS', async () => {
    const disk = new Uint8Array(512);
    files.set('file:///project/a/bzImage', bzImage());
    files.set('file:///project/a/initrd.img', disk);
    files.set('file:///project/b/vmlinuz-6.1', bzImage());
    files.set('file:///project/b/initrd.img-6.0', disk);
    files.set('file:///project/b/initrd.img-6.1', disk);
    files.set('file:///project/root.img', disk);
    const linux = { append: 'console=ttyS0', memory: '512M' };
    const without = await provideLaunchConfigurations(DISK);
    const attributes = (found: vscode.DebugConfiguration[]): object[] =>
      found.map(({ type: _type, request: _request, name: _name, ...rest }) => rest);
    const kernels = [
      { kernel: 'a/bzImage', initrd: 'a/initrd.img', ...linux },
      { kernel: 'b/vmlinuz-6.1', initrd: 'b/initrd.img-6.1', ...linux },
    ];
    assert.deepEqual(attributes(without), kernels);
    files.set('file:///project/bios.bin', disk);
    files.set('file:///project/vgabios-isavga.bin', disk);
    const disks = [{ firmware: 'bios.bin', vgaRom: 'vgabios-isavga.bin', disk: 'root.img' }];
    assert.deepEqual(attributes(await provideLaunchConfigurations(DISK)), [...kernels, ...disks]);
  });

  it('a kernel that starts by Xen’s ABI alone becomes a domain', async () => {
    const grub = '.cache/guests/grub-xen-host/usr/lib/grub-xen/grub-x86_64-xen.bin';
    const rows = [
      { path: 'guests/porting/paravirtual.elf', technique: 'paravirtual' },
      { path: 'guests/porting/native.elf', technique: undefined },
      { path: 'guests/sample/sample.elf', technique: undefined },
      ...(existsSync(grub) ? [{ path: grub, technique: 'paravirtual' }] : []),
    ];
    for (const { path, technique } of rows) {
      reset();
      files.set(`file:///project/${basename(path)}`, readFileSync(path));
      const [found] = await provideLaunchConfigurations(DISK);
      assert.deepEqual([found?.['kernel'], found?.['technique']], [basename(path), technique]);
    }
  });

  it('files of domains are found from the folder, and named by their place', async () => {
    files.set('file:///project/kernel.elf', KERNEL);
    files.set('file:///project/disk.img', KERNEL);
    const config = await checkLaunchConfiguration(
      DISK,
      launch({ kernel: 'kernel.elf', domains: [{ name: 'a' }, { disk: ['disk.img,if=virtio'] }] }),
    );
    assert.deepEqual(
      [config?.['kernel'], config?.['domains']],
      ['/project/kernel.elf', [{ name: 'a' }, { disk: ['/project/disk.img,if=virtio'] }]],
    );
    await checkLaunchConfiguration(DISK, launch({ kernel: 'kernel.elf', domains: [{}, { initrd: 'none.img' }] }));
    assert.match(shown.messages.at(-1)!, /Launch attribute 'domains\[1\]\.initrd': cannot read \/project\/none\.img/);
  });

  it('F5 without launch.json takes the only kernel', async () => {
    files.set('file:///project/kernel.elf', KERNEL);
    const config = await resolveLaunchConfiguration(DISK, {} as vscode.DebugConfiguration);
    assert.equal(config?.['kernel'], 'kernel.elf');
    assert.equal(config?.type, 'ringside');
  });

  it('F5 without launch.json asks which of several', async () => {
    files.set('file:///project/a.elf', KERNEL);
    files.set('file:///project/b.elf', KERNEL);
    shown.picked = 1;
    const config = await resolveLaunchConfiguration(DISK, {} as vscode.DebugConfiguration);
    assert.equal(config?.['kernel'], 'b.elf');
  });

  it('F5 without a kernel says so, and opens launch.json on request', async () => {
    shown.answer = 'Open launch.json';
    assert.equal(await resolveLaunchConfiguration(DISK, {} as vscode.DebugConfiguration), null);
    assert.match(shown.messages[0]!, /No kernel was found.*"kernel" in launch\.json/);
  });

  const NO_KERNEL: [what: string, folder: vscode.WorkspaceFolder | undefined, message: RegExp, buttons: string[]][] = [
    ['in the folder', DISK, /No kernel was found/, ['Choose a Kernel…', 'Open Sample…', 'Open launch.json']],
    ['as there is no folder', undefined, /No folder is open/, ['Choose a Kernel…', 'Open Sample…']],
  ];
  for (const [what, folder, message, buttons] of NO_KERNEL)
    it(`F5 without a kernel ${what}: a file that the user chooses, or a sample`, async () => {
      files.set('file:///elsewhere/k.elf', KERNEL);
      Object.assign(shown, { answer: 'Choose a Kernel…', chosen: Uri.file('/elsewhere/k.elf') });
      const config = await resolveLaunchConfiguration(folder, {} as vscode.DebugConfiguration);
      assert.equal(config?.['kernel'], '/elsewhere/k.elf');
      assert.match(shown.messages[0]!, message);
      assert.deepEqual(shown.buttons, buttons);
      shown.answer = 'Open Sample…';
      assert.equal(await resolveLaunchConfiguration(folder, {} as vscode.DebugConfiguration), undefined);
      assert.deepEqual(shown.commands, ['ringside.openSample']);
    });

  const REPAIRS: [
    what: string,
    shown: Partial<typeof shown>,
    config: object,
    result: object | undefined,
    messages: number,
  ][] = [
    [
      'another file',
      { answer: 'Choose a File…', chosen: Uri.file('/project/k.elf') },
      { kernel: 'gone.elf' },
      { kernel: '/project/k.elf' },
      1,
    ],
    [
      'another disk, whose options stay',
      { answer: 'Choose a File…', chosen: Uri.file('/project/k.elf') },
      { kernel: 'k.elf', disk: 'gone.img,ro' },
      { kernel: '/project/k.elf', disk: '/project/k.elf,ro' },
      1,
    ],
    ['no other file', { answer: 'Choose a File…' }, { kernel: 'gone.elf' }, undefined, 1],
    [
      'a build',
      { answer: 'Build', build: () => (files.set('file:///project/made.elf', KERNEL), 0) },
      { kernel: 'made.elf' },
      { kernel: '/project/made.elf' },
      1,
    ],
    ['a build that fails', { answer: 'Build', build: () => 2 }, { kernel: 'made.elf' }, undefined, 1],
    ['a build that makes something else', { answer: 'Build', build: () => 0 }, { kernel: 'made.elf' }, undefined, 2],
  ];
  for (const [what, user, config, result, messages] of REPAIRS)
    it(`a file that is not there is repaired by ${what}`, async () => {
      files.set('file:///project/k.elf', KERNEL);
      Object.assign(shown, user);
      const found = await checkLaunchConfiguration(DISK, launch(config));
      assert.deepEqual(found && { ...found }, result && launch(result));
      assert.equal(shown.messages.length, messages);
    });
  it('only a folder with a Makefile offers to build', async () => {
    await checkLaunchConfiguration(DISK, launch({ kernel: 'gone.elf' }));
    assert.deepEqual(shown.buttons, ['Choose a File…', 'Open launch.json']);
  });

  const MISTAKES: [name: string, config: object, message: RegExp][] = [
    ['no kernel', {}, /'kernel' is missing/],
    ['kernel is a number', { kernel: 5 }, /'kernel' is 5/],
    ['kernel is nowhere', { kernel: 'no.elf' }, /'kernel': cannot read \/project\/no\.elf: there is no such file/],
    ['kernel is a folder', { kernel: 'sub' }, /'kernel': cannot read \/project\/sub: it is a folder/],
    ['initrd is nowhere', { kernel: 'k.elf', initrd: 'i' }, /'initrd': cannot read/],
    [
      'second module is nowhere',
      { kernel: 'k.elf', module: ['k.elf', 'm'] },
      /'module\[1\]': cannot read \/project\/m/,
    ],
    ['memory without unit', { kernel: 'k.elf', memory: 'lots' }, /'memory' is "lots"/],
    ['memory in bytes', { kernel: 'k.elf', memory: 1000 }, /'memory' is 1000/],
    ['half a processor', { kernel: 'k.elf', cpus: 0.5 }, /'cpus' is 0\.5/],
    ['attach', { kernel: 'k.elf', request: 'attach' }, /'request' is "attach"; give "launch"/],
  ];
  for (const [name, config, message] of MISTAKES) {
    it(`refuses: ${name}`, async () => {
      files.set('file:///project/k.elf', KERNEL);
      files.set('file:///project/sub/file', KERNEL);
      assert.equal(await checkLaunchConfiguration(DISK, launch(config)), undefined);
      assert.equal(shown.messages.length, 1);
      assert.match(shown.messages[0]!, message);
    });
  }

  const PATHS: [name: string, folder: vscode.WorkspaceFolder, written: string, given: string][] = [
    ['relative on disk', DISK, 'k.elf', '/project/k.elf'],
    ['absolute on disk', DISK, '/project/k.elf', '/project/k.elf'],
    ['relative in a browser', WEB, 'k.elf', 'workspace:/sample/k.elf'],
    ['expanded variable in a browser', WEB, '/sample/k.elf', 'workspace:/sample/k.elf'],
    ['URI', WEB, 'workspace:/sample/k.elf', 'workspace:/sample/k.elf'],
  ];
  for (const [name, folder, written, given] of PATHS) {
    it(`makes paths absolute: ${name}`, async () => {
      files.set('file:///project/k.elf', KERNEL);
      files.set('workspace:/sample/k.elf', KERNEL);
      const config = await checkLaunchConfiguration(
        folder,
        launch({ kernel: written, symbols: [written], sourceMap: { '/build': written } }),
      );
      assert.deepEqual(shown.messages, []);
      assert.equal(config?.['kernel'], given);
      assert.deepEqual(config?.['symbols'], [given]);
      assert.deepEqual(config?.['sourceMap'], { '/build': given });
    });
  }

  it('makes the paths of disks absolute, and keeps their options', async () => {
    files.set('file:///project/bios.bin', KERNEL);
    files.set('file:///project/d.img', KERNEL);
    const config = await checkLaunchConfiguration(
      DISK,
      launch({ firmware: 'bios.bin', disk: ['d.img', 'd.img,if=virtio,ro'] }),
    );
    assert.deepEqual(config?.['disk'], ['/project/d.img', '/project/d.img,if=virtio,ro']);
    assert.equal(config?.['firmware'], '/project/bios.bin');
    await checkLaunchConfiguration(DISK, launch({ firmware: 'bios.bin', disk: 'e.img,ro' }));
    assert.match(shown.messages[0]!, /'disk': cannot read \/project\/e\.img: there is no such file/);
  });

  it('the manifest offers attributes that the check takes, with defaults that it accepts', async () => {
    files.set('file:///project/k.elf', KERNEL);
    const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
    const { properties } = manifest.contributes.debuggers[0].configurationAttributes.launch;
    const defaults = Object.entries(properties as Record<string, { default?: unknown }>)
      .filter(([, property]) => property.default !== undefined)
      .map(([name, property]) => [name, property.default]);
    const config = launch({ ...Object.fromEntries(defaults), kernel: 'k.elf' });
    assert.ok(await checkLaunchConfiguration(DISK, config), shown.messages[0]);
  });
});
