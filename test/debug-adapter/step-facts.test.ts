/** What steps keep between steps: it is asked anew when the code, the mode or the symbols are others. */
import assert from 'node:assert/strict';
import { Program } from '../../debug-adapter/program';
import { factsAt } from '../../debug-adapter/step-facts';
import type { SymbolFile } from '../../debug-adapter/symbols/api';
import type { Inspector } from '../../emulator/machine/api';

const NOP = 0x90;
const RET = 0xc3;
const CALL = 0xe8;

/** One byte of code, and how often it was decoded. */
function machineWith(code: number) {
  const machine = { code, mode: 'long', decoded: 0 };
  const inspect = {
    mode: () => machine.mode,
    readVirtual: () => Uint8Array.of(machine.code),
    disassemble: (_cpu: number, gva: bigint) => {
      machine.decoded++;
      const isCall = machine.code === CALL;
      return [
        { gva, bytes: Uint8Array.of(machine.code), text: '', mnemonic: 'x', isCall, isReturn: machine.code === RET },
      ];
    },
  };
  return { machine, inspect: inspect as unknown as Inspector };
}

const fileOf = (start: bigint): SymbolFile =>
  ({
    range: { start: 0n, end: 100n },
    lineAt: () => undefined,
    functionAt: () => ({ start }),
    framesAt: () => [{}],
  }) as unknown as SymbolFile;

describe('facts of steps', () => {
  it('an instruction is decoded once, until its bytes or the mode are others', () => {
    const { machine, inspect } = machineWith(NOP);
    const ask = () => factsAt({ inspect, program: new Program() }, 0, 5n);
    assert.deepEqual([ask().isReturn, ask().call, machine.decoded], [false, undefined, 1]);
    machine.code = RET;
    assert.deepEqual([ask().isReturn, machine.decoded], [true, 2]);
    machine.code = CALL;
    assert.deepEqual([ask().call?.gva, machine.decoded], [5n, 3]);
    machine.mode = 'protected';
    assert.deepEqual([ask().call?.gva, machine.decoded], [5n, 4]);
  });

  it('symbols are asked anew when a module comes or goes', () => {
    const program = new Program();
    assert.deepEqual(program.placeOf(5n), { line: undefined, function: undefined, depth: 0 });
    const module = program.add('a', fileOf(3n));
    assert.deepEqual(program.placeOf(5n), { line: undefined, function: 3n, depth: 1 });
    program.remove(module);
    assert.equal(program.placeOf(5n).function, undefined);
  });
});
