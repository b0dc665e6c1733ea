/** The generated code of one machine, instantiated: dispatcher, forms, blocks, and compiled regions where they are wanted. */
import type { CodeSource } from './code-cache';
import { CodeCache } from './code-cache';
import { FormTable } from './forms';
import { FunctionTable } from './function-table';
import { COMMON_FORMS } from './common-forms';
import { HOT_FORMS, resolveHotForms } from './hot-forms';
import { buildDispatcher, buildForms } from './interpreter';
import type { FormCode, InterpreterImports } from './interpreter';
import { FIRST_FORM_HANDLER, GUARD_INDEX } from './record';
import { COMPILER_OPTIONS, Regions } from './regions';
import type { CompilerOptions } from './regions';

let dispatcher: { module: WebAssembly.Module; inline: { key: string; code: FormCode }[] } | undefined;
/** One compiled module serves every machine in this process. */
const compiledDispatcher = (): NonNullable<typeof dispatcher> => {
  if (!dispatcher) {
    const inline = resolveHotForms(HOT_FORMS);
    dispatcher = { module: new WebAssembly.Module(buildDispatcher(inline.map((f) => f.code))), inline };
  }
  return dispatcher;
};

let common: { module: WebAssembly.Module; keys: ReadonlyMap<string, string> } | undefined;
/** As the dispatcher. */
const compiledCommon = (): NonNullable<typeof common> => {
  if (!common) {
    const each = COMMON_FORMS.flatMap(({ opcode, operands, forms }) => forms.split(' ').map((form) => ({ opcode, operands, form }))); // prettier-ignore
    const resolved = resolveHotForms(each);
    const module = new WebAssembly.Module(buildForms(resolved.map(({ code }) => code)));
    common = { module, keys: new Map(resolved.map(({ key }, i) => [key, `f${i}`])) };
  }
  return common;
};

/** `interpreter` alone, or with the compiler for what is hot: as it is set, or with some settings changed. */
export type Tier = 'interpreter' | 'compiler' | Partial<CompilerOptions>;

export class GeneratedCode {
  readonly cache: CodeCache;
  readonly regions?: Regions;
  /** Executes from the record at an address until something needs the host (record.ts, EXIT). */
  readonly run: (record: number) => void;

  constructor(memory: WebAssembly.Memory, imports: InterpreterImports, source: CodeSource, tier: Tier) {
    const { module, inline } = compiledDispatcher();
    // Forms that the dispatcher has in itself have numbers, too.
    const functions = new FunctionTable(FIRST_FORM_HANDLER + inline.length);
    const host = { memory, table: functions.table, ...imports };
    const shared = new WebAssembly.Instance(module, { env: host }).exports;
    this.run = shared.run as (record: number) => void;
    functions.set(GUARD_INDEX, shared.enterGuarded);
    const exportsOf = (made: WebAssembly.Module): WebAssembly.Exports =>
      new WebAssembly.Instance(made, { env: { ...host, ...shared } }).exports;
    const instantiate = (bytes: Uint8Array<ArrayBuffer>): WebAssembly.Exports =>
      exportsOf(new WebAssembly.Module(bytes));
    const { keys, module: commonModule } = compiledCommon();
    const forms = new FormTable(functions, instantiate, inline, { keys, instantiate: () => exportsOf(commonModule) });
    this.cache = new CodeCache(memory, forms, source);
    if (tier === 'interpreter') return;
    const options = { ...COMPILER_OPTIONS, ...(typeof tier === 'object' ? tier : {}) };
    this.regions = new Regions(new DataView(memory.buffer), functions, instantiate, this.cache, options);
    this.cache.regions = this.regions;
  }
}
