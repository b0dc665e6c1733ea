/** Memory with as much of a Linux kernel in it as the adapter looks for: symbols, types, three tasks, a module. */
import type { Inspector, Mapping } from '../../../emulator/machine/api';
import { BTF } from '../../../debug-adapter/symbols/btf';
import { BtfBuilder } from './btf-image';
import { Bytes, kallsymsImage, type KnownSymbol } from './kallsyms-image';

export const TEXT = 0xffff_ffff_9a60_0000n;
const IMAGE_BYTES = 0x40_0000;
const [TABLES, TYPES, DATA] = [0x10_0000, 0x20_0000, 0x30_0000] as const;
const PER_CPU_AREA = TEXT + 0x38_0000n;
/** Of one task in the data; tasks follow each other. */
export const TASK_BYTES = 256;
const FIELDS = { state: 0, exit: 4, pid: 8, tgid: 12, comm: 16, tasks: 32, mm: 48, stack: 56, leader: 64 } as const;
const MODULE = { state: 0, list: 8, name: 24, base: 80, size: 88 } as const;

function types(): Uint8Array {
  const b = new BtfBuilder();
  const int = b.int('int', 4, 1);
  const char = b.int('char', 1, 1);
  const word = b.int('long unsigned int', 8);
  const comm = b.type(BTF.ARRAY, '', 0, [char, int, 16]);
  const list = b.struct('list_head', 16, [['next', word, 0], ['prev', word, 64]]); // prettier-ignore
  const bits = (bytes: number): number => bytes * 8;
  const task = b.struct('task_struct', TASK_BYTES, [
    ['__state', int, bits(FIELDS.state)], ['exit_state', int, bits(FIELDS.exit)], ['pid', int, bits(FIELDS.pid)],
    ['tgid', int, bits(FIELDS.tgid)], ['comm', comm, bits(FIELDS.comm)], ['tasks', list, bits(FIELDS.tasks)],
    ['mm', word, bits(FIELDS.mm)], ['stack', word, bits(FIELDS.stack)], ['group_leader', word, bits(FIELDS.leader)],
  ]); // prettier-ignore
  const layout = b.struct('module_layout', 16, [['base', word, 0], ['size', int, 64]]); // prettier-ignore
  const name = b.type(BTF.ARRAY, '', 0, [char, int, 56]);
  b.struct('module', 256, [['state', int, 0], ['list', list, bits(MODULE.list)], ['name', name, bits(MODULE.name)], ['core_layout', layout, bits(MODULE.base)]]); // prettier-ignore
  const pointer = b.pointer(task);
  const variable = b.type(BTF.VAR, 'current_task', pointer, [1]);
  b.type(BTF.DATASEC, '.data..percpu', 0, [variable, 0, 8], 1);
  b.function('do_exit', 0, [['code', word]]); // prettier-ignore
  return b.bytes();
}

const BTF_BYTES = types();
/** Offsets in the data. */
const PLACE = { perCpuOffset: 0, banner: 64, modules: 192, tasks: 256, module: 2048 } as const;
export const taskAt = (n: number): bigint => TEXT + BigInt(DATA + PLACE.tasks + n * TASK_BYTES);

const SYMBOLS: readonly KnownSymbol[] = [
  { name: 'current_task', type: 'A', gva: 0x40n },
  { name: '_text', type: 'T', gva: TEXT },
  { name: 'do_init_module', type: 't', gva: TEXT + 0x1000n },
  { name: 'start_kernel', type: 'T', gva: TEXT + 0x2000n },
  { name: 'do_exit', type: 'T', gva: TEXT + 0x3000n },
  { name: '__start_BTF', type: 'R', gva: TEXT + BigInt(TYPES) },
  { name: '__stop_BTF', type: 'R', gva: TEXT + BigInt(TYPES + BTF_BYTES.length) },
  { name: '__per_cpu_offset', type: 'D', gva: TEXT + BigInt(DATA + PLACE.perCpuOffset) },
  { name: 'linux_banner', type: 'D', gva: TEXT + BigInt(DATA + PLACE.banner) },
  { name: 'modules', type: 'D', gva: TEXT + BigInt(DATA + PLACE.modules) },
  { name: 'init_task', type: 'D', gva: taskAt(0) },
  { name: '_end', type: 'B', gva: TEXT + BigInt(IMAGE_BYTES) },
];

export class SmallKernel {
  readonly image = new Uint8Array(IMAGE_BYTES);
  private readonly view = new DataView(this.image.buffer);
  mapped = true;

  constructor() {
    this.image.set(kallsymsImage(SYMBOLS, TEXT, { pointerBytes: 8, layout: 'per-cpu', markerBytes: 4 }), TABLES);
    this.image.set(BTF_BYTES, TYPES);
    this.image.set(new Bytes().text('Linux version 0.1 (test)\n').bytes, DATA + PLACE.banner);
    this.word(TEXT + BigInt(DATA + PLACE.perCpuOffset), PER_CPU_AREA);
    const names = ['swapper', 'init', 'sh'];
    names.forEach((name, n) => this.task(n, name, (n + 1) % names.length));
    this.word(PER_CPU_AREA + 0x40n, taskAt(2));
    this.listModule(false);
  }
  word(gva: bigint, value: bigint): void {
    this.view.setBigUint64(Number(gva - TEXT), BigInt.asUintN(64, value), true);
  }
  private task(n: number, comm: string, next: number): void {
    const at = taskAt(n);
    this.word(at + BigInt(FIELDS.pid), BigInt(n) | (BigInt(n) << 32n));
    this.image.set(new Bytes().text(comm).bytes, Number(at - TEXT) + FIELDS.comm);
    this.word(at + BigInt(FIELDS.tasks), taskAt(next) + BigInt(FIELDS.tasks));
    this.word(at + BigInt(FIELDS.leader), at);
  }
  /** The next of a task in the list of all. */
  link(n: number, to: bigint): void {
    this.word(taskAt(n) + BigInt(FIELDS.tasks), to);
  }
  /** One module, or none. */
  listModule(loaded: boolean): void {
    const head = TEXT + BigInt(DATA + PLACE.modules);
    const module = TEXT + BigInt(DATA + PLACE.module);
    this.word(head, loaded ? module + BigInt(MODULE.list) : head);
    this.word(module + BigInt(MODULE.list), head);
    this.image.set(new Bytes().text('loop').bytes, Number(module - TEXT) + MODULE.name);
    this.word(module + BigInt(MODULE.base), 0xffff_ffff_c000_0000n);
    this.word(module + BigInt(MODULE.size), 0x4000n);
  }

  /** As much of an inspector as is asked. */
  readonly inspect = {
    onAddressSpace: undefined as ((cpu: number) => void) | undefined,
    registers: () => ({ get: (name: string) => ({ efer: 0x500n, cr0: 0x8000_0001n })[name] }),
    mappings: (_: number, from: bigint): Partial<Mapping>[] =>
      this.mapped && from <= TEXT ? [{ gva: TEXT, size: BigInt(IMAGE_BYTES), user: false }] : [],
    readVirtual: (_: number, gva: bigint, bytes: number): Uint8Array => {
      const at = Number(gva - TEXT);
      return this.mapped && at >= 0 && at < IMAGE_BYTES ? this.image.slice(at, at + bytes) : new Uint8Array();
    },
    translate: () => ({ gpa: undefined }),
  } as unknown as Inspector;
}
