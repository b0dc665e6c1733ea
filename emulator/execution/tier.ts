/** The generated code of one machine, instantiated: dispatcher, forms, blocks, and compiled regions where they are wanted. */
import type { CodeSource } from './code-cache';
import { CodeCache } from './code-cache';
import { FormTable } from './forms';
import { FunctionTable } from './function-table';
import { COMMON_FORMS } from './common-forms';
import { HOT_FORMS, resolveHotForms } from './hot-forms';
import { buildDispatcher, buildForms } from './interpreter';
import { HELPER_NAMES } from './helpers';
import type { HostHelpers } from './helpers';
import type { FormCode } from './interpreter';
import { FIRST_FORM_HANDLER, FIRST_HELPER_INDEX } from './record';
import { COMPILER_OPTIONS, Regions } from './regions';
import type { CompilerOptions } from './regions';
import { assert } from '../util/assert';

let dispatcher: { module: WebAssembly.Module; inline: { key: string; code: FormCode }[] } | undefined;
/** One compiled module serves every machine in this process. */
const compiledDispatcher = (): NonNullable<typeof dispatcher> => {
  if (!dispatcher) {
    const inline = resolveHotForms(HOT_FORMS);
    dispatcher = { module: new WebAssembly.Module(buildDispatcher(inline.map((f) => f.code))), inline };
  }
  return dispatcher;
};

let common: { module: WebAssembly.Module; keys: ReadonlySet<string> } | undefined;
/** As the dispatcher. */
const compiledCommon = (): NonNullable<typeof common> => {
  if (!common) {
    const each = COMMON_FORMS.flatMap(({ opcode, operands, forms }) => forms.split(' ').map((form) => ({ opcode, operands, form }))); // prettier-ignore
    const resolved = resolveHotForms(each);
    const module = new WebAssembly.Module(buildForms(resolved.map(({ code }) => code)));
    const keys = new Set(resolved.map(({ key }) => key));
    assert(keys.size === resolved.length, 'each common form is listed once');
    common = { module, keys };
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

  constructor(memory: WebAssembly.Memory, imports: HostHelpers, source: CodeSource, tier: Tier) {
    const { module, inline } = compiledDispatcher();
    assert(
      FIRST_HELPER_INDEX + HELPER_NAMES.length <= FIRST_FORM_HANDLER + inline.length,
      'helpers have places of forms that nobody calls',
    );
    // Forms that the dispatcher has in itself have numbers, too.
    const functions = new FunctionTable(FIRST_FORM_HANDLER + inline.length);
    const { table } = functions;
    const host = new WebAssembly.Instance(module, { env: { memory, table, ...imports } });
    this.run = host.exports.run as (record: number) => void;
    const instantiate = (bytes: Uint8Array<ArrayBuffer>): void =>
      void new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory, table } });
    const { keys, module: commonModule } = compiledCommon();
    const forms = new FormTable(functions, instantiate, inline, {
      keys,
      instantiate: (base) => void new WebAssembly.Instance(commonModule, { env: { memory, table, base } }),
    });
    this.cache = new CodeCache(memory, forms, source);
    if (tier === 'interpreter') return;
    const options = { ...COMPILER_OPTIONS, ...(typeof tier === 'object' ? tier : {}) };
    this.regions = new Regions(new DataView(memory.buffer), functions, instantiate, this.cache, options);
    this.cache.regions = this.regions;
  }
}
