/** A hypercall in words, before it is done: its arguments by name, its command, the first frame and entry that it is about. */
import type { ArgumentKind, Hypercall, HypercallArgument } from '../exit';
import type { PvCaller } from '../xen/caller';
import { entryFrame } from '../xen/page-tables';
import { ASSIST, DOMID } from '../xen/abi';
import type { Batched } from '../xen/parts';
import { HypercallError } from '../xen/ports';
import { asUint, type HypercallRow } from './call';
import { HYPERCALLS, MMUEXT_COMMANDS } from './table';

type About = NonNullable<Hypercall['about']>;
type Decoded = Pick<Hypercall, 'arguments' | 'operation' | 'about' | 'batch'>;
const NUMBER = { mmuUpdate: 1, multicall: 13, updateVaMapping: 14, eventChannel: 32, mmuext: 26 } as const;
const SEND = 4n;
/** xen.h: bits 1:0 of an update's pointer. */
const MMU_COMMANDS = ['normal_pt_update', 'machphys_update', 'pt_update_preserve_ad', 'pt_no_translate'] as const;
/** Of a multicall's entries. */
const ARGUMENTS = 6;
const MOST_SHOWN = 64;

/** `batch`: of a multicall, what is in it. Memory that cannot be read leaves details out: the guest is told when it is done. */
export function decodeHypercall({ number, args }: Pick<Hypercall, 'number' | 'args'>, caller: PvCaller): Decoded {
  const row = HYPERCALLS[number];
  const about: About = {};
  const decoded: Decoded = { arguments: row ? argumentsOf(row, args, caller.domain.word) : [], about };
  try {
    const operation = look(number, args, caller, about);
    if (operation !== undefined) decoded.operation = operation;
    if (number === NUMBER.multicall) decoded.batch = batchOf(args, caller);
  } catch (refused) {
    if (!(refused instanceof HypercallError)) throw refused;
  }
  return decoded;
}

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

/** Those of 64 bits take two words of a 32-bit guest. */
const WIDE: ReadonlySet<ArgumentKind> = new Set(['entry', 'time', 'machine-address', 'descriptor']);

function argumentsOf({ args: list, commands }: HypercallRow, args: readonly bigint[], word: number): HypercallArgument[] {
  let next = 0;
  return list.map(([name, kind]) => {
    const low = args[next++] ?? 0n;
    const value = word === 4 && WIDE.has(kind) ? low | ((args[next++] ?? 0n) << 32n) : low;
    const named = kind === 'command' ? commands?.[asUint(value)] : NAMES[kind]?.(value);
    return { name, kind, value, ...(named === undefined ? {} : { named }) };
  });
} // prettier-ignore

const nameIn = (names: Readonly<Record<string, number>>, value: number): string | undefined =>
  Object.keys(names).find((name) => names[name] === value);
const NAMES: Partial<Record<ArgumentKind, (value: bigint) => string | undefined>> = {
  assist: (value) => nameIn(ASSIST, asUint(value)),
  domain: (value) => {
    const name = nameIn(DOMID, Number(value & 0xffffn));
    return name && `DOMID_${name}`;
  },
};

/** Into `about`; the command that lies in memory, where one does: that of the first operation. */
function look(number: number, args: readonly bigint[], caller: PvCaller, about: About): string | undefined {
  const { word } = caller.domain;
  switch (number) {
    case NUMBER.mmuUpdate: {
      const pointer = caller.read64(args[0]);
      const value = caller.read64(args[0] + 8n);
      const command = MMU_COMMANDS[Number(pointer & 3n)];
      about.frame = pointer >> 12n;
      if (command === 'machphys_update') about.pfn = value;
      else Object.assign(about, { entry: (pointer & 0xfffn) >> 3n, value, target: BigInt(entryFrame(value)) });
      return command;
    }
    case NUMBER.updateVaMapping:
      about.target = BigInt(entryFrame(word === 8 ? args[1] : args[1] | (args[2] << 32n)));
      return undefined;
    case NUMBER.mmuext: {
      const number = caller.read(args[0], 4);
      const command = MMUEXT_COMMANDS[number] ?? `${number}`;
      // A union: what it is follows from the command.
      about[/^invlpg|^set_ldt/.test(command) ? 'address' : 'frame'] = caller.readWord(args[0] + BigInt(word));
      return command;
    }
    case NUMBER.eventChannel:
      if (args[0] === SEND) about.port = BigInt(caller.read(args[1], 4));
      return undefined;
    default:
      return undefined;
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
