/** A hypercall in words, before it is done: its arguments by name, its command, the first frame and entry that it is about. */
import type { Hypercall } from '../exit';
import type { PvCaller } from '../xen/caller';
import { entryFrame } from '../xen/page-tables';
import type { Batched } from '../xen/parts';
import { HypercallError } from '../xen/ports';
import { asUint } from './call';
import { HYPERCALLS, MMUEXT_COMMANDS } from './table';

type Details = NonNullable<Hypercall['details']>;
const NUMBER = { mmuUpdate: 1, multicall: 13, updateVaMapping: 14, eventChannel: 32, mmuext: 26 } as const;
const SEND = 4n;
/** Of a multicall's entries. */
const ARGUMENTS = 6;
const MOST_SHOWN = 64;

/** `batch`: of a multicall, what is in it. Memory that cannot be read leaves details out: the guest is told when it is done. */
export function decodeHypercall({ number, args }: Pick<Hypercall, 'number' | 'args'>, caller: PvCaller): Pick<Hypercall, 'details' | 'batch'> {
  const row = HYPERCALLS[number];
  const details: Details = {};
  row?.args.forEach(([name], i) => (details[name] = args[i]));
  const command = row?.commands?.[asUint(args[0])];
  if (command !== undefined) details.command = command;
  try {
    look(number, args, caller, details);
    return number === NUMBER.multicall ? { details, batch: batchOf(args, caller) } : { details };
  } catch (refused) {
    if (!(refused instanceof HypercallError)) throw refused;
    return { details };
  }
} // prettier-ignore

/** As far as registers tell. */
export function namedCall(number: number, args: bigint[]): Hypercall {
  const row = HYPERCALLS[number];
  const command = row?.commands?.[asUint(args[0])];
  return {
    number,
    name: row?.name ?? `hypercall ${number}`,
    args,
    ...(command === undefined ? {} : { command }),
  };
}

/** What was done of a batch. */
export const batchDone = (done: readonly Batched[]): Pick<Hypercall, 'batch'> =>
  done.length === 0 ? {} : { batch: done.map((each) => ({ ...namedCall(each.number, each.args), ...each })) };

function look(number: number, args: readonly bigint[], caller: PvCaller, details: Details): void {
  const { word } = caller.domain;
  switch (number) {
    case NUMBER.mmuUpdate: {
      const pointer = caller.read64(args[0]);
      const value = caller.read64(args[0] + 8n);
      Object.assign(details, { frame: pointer >> 12n, entry: (pointer & 0xfffn) >> 3n, value, target: BigInt(entryFrame(value)) }); // prettier-ignore
      return;
    }
    case NUMBER.updateVaMapping:
      details.target = BigInt(entryFrame(word === 8 ? args[1] : args[1] | (args[2] << 32n)));
      return;
    case NUMBER.mmuext: {
      const command = caller.read(args[0], 4);
      details.command = MMUEXT_COMMANDS[command] ?? `${command}`;
      details.frame = caller.readWord(args[0] + BigInt(word));
      return;
    }
    case NUMBER.eventChannel:
      if (args[0] === SEND) details.port = BigInt(caller.read(args[1], 4));
  }
}
function batchOf(args: readonly bigint[], caller: PvCaller): Hypercall[] {
  const w = BigInt(caller.domain.word);
  const count = Math.min(asUint(args[1]), MOST_SHOWN);
  return Array.from({ length: count }, (_, i) => {
    const at = args[0] + BigInt(i * (2 + ARGUMENTS)) * w;
    const number = asUint(caller.readWord(at));
    const inner = Array.from({ length: ARGUMENTS }, (__, n) => caller.readWord(at + w * BigInt(2 + n)));
    const call = { number, name: HYPERCALLS[number]?.name ?? `hypercall ${number}`, args: inner };
    return number === NUMBER.multicall ? call : { ...call, ...decodeHypercall(call, caller) };
  });
}
