/** Looking into the stopped sample kernel: registers, memory, code, page tables. Over a socket, one session a test. */
import assert from 'node:assert/strict';
import type { Client } from './support/client';
import { evaluate, frames, scope, clientForEach, stopAt, variables } from './support/server';

describe('inspecting the sample kernel', () => {
  let client: Client;
  clientForEach((own) => (client = own));

  it('shows and edits registers, flags and variables', async () => {
    const [top] = await stopAt(client, 'fibonacci');
    const groups = await scope(client, top!.id, 'Registers');
    const flags = await variables(client, groups.Flags!.variablesReference);
    const changed = await client.request('setVariable', { variablesReference: groups.Flags!.variablesReference, name: 'CF', value: flags.CF!.value === '1' ? '0' : '1' }); // prettier-ignore
    assert.notEqual(changed.value, flags.CF!.value);
    const control = await variables(client, groups.Control!.variablesReference);
    assert.match(control.cr0!.value, /\[ PE .*PG \]/);
    const segments = await variables(client, groups.Segment!.variablesReference);
    assert.match(segments.cs!.value, /64-bit code execute\/read.*DPL 3/);
    const general = groups.General!.variablesReference;
    const reference = (await variables(client, general)).rax!.memoryReference;
    assert.match(reference!, /^0x[0-9a-f]{16}$/);
    await client.request('setVariable', { variablesReference: general, name: 'rax', value: '0x1234' });
    assert.equal(await evaluate(client, '$rax', top!.id), '0x0000000000001234');
    assert.match(
      await client.refusal('setVariable', { variablesReference: general, name: 'rax', value: 'many' }),
      /many/,
    );
    await client.request('setExpression', { expression: 'n', value: 'n + 2', frameId: top!.id });
    assert.equal(await evaluate(client, 'n', top!.id), '13');
    await client.run('next');
    assert.match(await client.refusal('variables', { variablesReference: general }), /gone: the machine has run/);
  });

  it('reads and writes memory in each space, with gaps', async () => {
    await stopAt(client, 'handle_page_fault');
    const frame = (await frames(client))[0]!;
    const at = await client.request('evaluate', { expression: '&ticks', frameId: frame.id, context: 'watch' });
    const { memoryReference } = at;
    await client.request('writeMemory', { memoryReference, data: Buffer.from([0x2a, 0, 0, 0, 0, 0, 0, 0]).toString('base64') });
    assert.equal(await evaluate(client, 'ticks', frame.id), '42');
    const { translation } = await client.request('ringside/translate', { address: '&ticks' });
    const physical = await client.request('readMemory', { memoryReference: `gp:0x${translation.gpa.toString(16)}`, count: 8 });
    assert.equal(Buffer.from(physical.data, 'base64').readBigUInt64LE(), 42n);
    const gap = await client.request('readMemory', { memoryReference: 'gv:0x10000000', count: 64 });
    assert.deepEqual([gap.data, gap.unreadableBytes], [undefined, 64]);
    const same = await client.request('readMemory', { memoryReference: `hp:0x${translation.gpa.toString(16)}`, count: 8 });
    assert.equal(same.data, physical.data);
    assert.match(await client.refusal('readMemory', { memoryReference: 'somewhere', count: 4 }), /somewhere/);
  }); // prettier-ignore

  it('shows the screen, and presses keys', async () => {
    await stopAt(client, 'handle_page_fault');
    const screen = await client.request('ringside/screen');
    assert.deepEqual([screen.columns, screen.rows, screen.text.length], [80, 25, 25]);
    assert.equal(Buffer.from(screen.attributes, 'base64').length, 80 * 25);
    // Its text is memory, too, up to the end of the window.
    const data = Buffer.from('H\x07i\x07').toString('base64');
    await client.request('writeMemory', { memoryReference: 'gp:0xb8000', data });
    assert.match((await client.request('ringside/screen')).text[0], /^Hi/);
    assert.equal((await client.request('readMemory', { memoryReference: 'gp:0xb8000', count: 4 })).data, data);
    const end = await client.request('readMemory', { memoryReference: 'gp:0xbfffe', count: 4 });
    assert.deepEqual([end.data.length, end.unreadableBytes], [4, 2]);
    const keys = [
      { code: 'KeyA', down: true },
      { code: 'KeyA', down: false },
      { code: 'LaunchMail', down: true },
    ];
    assert.deepEqual(await client.request('ringside/keys', { keys, text: 'b' }), { unknown: ['LaunchMail'] });
    assert.match(await client.refusal('ringside/keys', { keys: [{ code: 5 }] }), /keys\[0\]\.code/);
  });

  it('disassembles around an address, with symbols and lines', async () => {
    const [top] = await stopAt(client, 'handle_interrupt');
    const { instructions } = await client.request('disassemble', { memoryReference: top!.instructionPointerReference, instructionOffset: -20, instructionCount: 50 }); // prettier-ignore
    assert.equal(instructions.length, 50);
    assert.equal(instructions[20].address, top!.instructionPointerReference);
    const addresses = instructions.map((each: { address: string }) => BigInt(each.address));
    assert.ok(addresses.every((each: bigint, n: number) => n === 0 || each > addresses[n - 1]));
    assert.ok(instructions.some((each: { symbol?: string }) => each.symbol === 'handle_interrupt'));
    assert.ok(instructions.some((each: { instruction: string }) => /call 0x[0-9a-f]+ <handle_page_fault>/.test(each.instruction)));
    assert.ok(instructions.some((each: { line?: number }) => (each.line ?? 0) > 0));
  }); // prettier-ignore

  it('shows page tables of the current address space', async () => {
    await stopAt(client, 'handle_page_fault');
    const root = await client.request('ringside/pageTables', {});
    assert.equal(root.format, '4-level');
    assert.ok(root.entries.length >= 2);
    const [first] = root.entries;
    const next = await client.request('ringside/pageTables', { table: { gpa: first.target, level: first.level - 1 } });
    assert.equal(next.gpa, first.target);
  });
});
