/** Whatever a client writes into the arguments of our requests: one answer each, one sentence, and the machine is as it was. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InProcess } from '../support/in-process';

const number = fc.oneof(fc.integer({ min: -2, max: 5 }), fc.constantFrom(0x1000, 0x101000, 2 ** 40, 2 ** 52, 2 ** 53, 1e300, NaN, -1.5)); // prettier-ignore
const text = fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('gv:0x1000', 'gp:0x101000', 'hp:0x2000', 'hp:0xfffffffffffff', 'gp:', '$rip', '&ticks', 'gv:0xffffffff80101000', '0x0', '-1', 'exit.reason == "io"', 'exit.', 'guest', 'shadow', 'nested')); // prettier-ignore
const leaf = fc.oneof(number, text, fc.boolean(), fc.constant(null));
const NAMES = ['address', 'access', 'user', 'cpu', 'frameId', 'tables', 'from', 'limit', 'changes', 'gpa', 'hpa', 'level', 'value', 'filter', 'buckets', 'functions', 'count', 'subscribe', 'write', 'maps', 'contains', 'present', 'writable', 'memoryReference', 'instructionOffset', 'instructionCount'] as const; // prettier-ignore
const flat = fc.dictionary(fc.constantFrom<string>(...NAMES), leaf, { maxKeys: 6 });
const roots = fc.array(fc.oneof(text, fc.constantFrom('VMCS', 'GDT', 'IDT', 'TSS')), { maxLength: 3 });
const args = fc.oneof(leaf, flat, fc.tuple(flat, flat, flat, roots).map(([own, table, mappings, wanted]) => ({ ...own, table, mappings: { ...mappings, search: table }, set: mappings, roots: wanted }))); // prettier-ignore
const COMMANDS = ['ringside/translate', 'ringside/pageTables', 'ringside/setEntry', 'ringside/checkShadow', 'ringside/exits', 'ringside/structures', 'ringside/translated', 'dataBreakpointInfo', 'disassemble', 'readMemory'] as const; // prettier-ignore

describe('arguments of the requests about tables, exits and structures', () => {
  for (const attributes of [{ technique: 'vt-x' }, { technique: 'binary-translation' }, {}])
    it(`any, ${JSON.stringify(attributes)}`, async () => {
      const own = new InProcess();
      await own.launch(attributes);
      await own.enter();
      const stopped = own.next('stopped');
      await own.request('setFunctionBreakpoints', { breakpoints: [{ name: 'handle_page_fault' }] });
      await own.request('continue', { threadId: 1 });
      await stopped;
      const { machine } = own.session.target;
      const hash = machine.stateHash();
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...COMMANDS.filter((each) => each !== 'ringside/setEntry')), args, async (command, raw) => {
          const answer = await own.response(command, raw);
          if (answer.success) return;
          assert.match(answer.message!, /^[^\n]{5,2000}$/);
          assert.doesNotMatch(answer.message!, /undefined|TypeError|RangeError|Cannot |is not a function|assert/i);
        }),
        { numRuns: 400 },
      );
      assert.equal(machine.stateHash(), hash);
      // Edits may succeed; what they answer is as well-formed.
      await fc.assert(
        fc.asyncProperty(args, async (raw) => {
          const answer = await own.response('ringside/setEntry', raw);
          assert.ok(answer.success || /^[^\n]{5,500}$/.test(answer.message!));
        }),
        { numRuns: 200 },
      );
      own.session.end();
    }); // prettier-ignore
}).timeout(120_000);
