/** WebAssembly modules: types, imports, functions and exports to sections (core specification 2.0, section 5.5). */
import { assert } from '../util/assert';
import { Bytes } from './wasm-bytes';
import type { FunctionBuilder } from './wasm-function';
import { I32, i32 } from './wasm-value';
import type { ValueType } from './wasm-value';

interface Signature {
  /** The others in words. */
  key: string;
  parameters: readonly ValueType[];
  results: readonly ValueType[];
}

/** A module that imports its memory as `env.memory` and the function table as `env.table`. */
export class ModuleBuilder {
  private readonly signatures: Signature[] = [];
  private readonly imports: { name: string; type: number }[] = [];
  private readonly functions: { type: number; builder: FunctionBuilder; name?: string }[] = [];
  private readonly places: { place: number; index: number }[] = [];
  private based = false;

  type(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${parameters.join()}:${results.join()}`;
    const known = this.signatures.findIndex((signature) => signature.key === key);
    return known >= 0 ? known : this.signatures.push({ key, parameters, results }) - 1;
  }
  /** All imports before the first function. */
  import(name: string, parameters: readonly ValueType[], results: readonly ValueType[]): number {
    assert(this.functions.length === 0, 'imports come before functions');
    return this.imports.push({ name, type: this.type(parameters, results) }) - 1;
  }
  add(builder: FunctionBuilder, results: readonly ValueType[], name?: string): number {
    const type = this.type(builder.parameters, results);
    return this.imports.length + this.functions.push({ type, builder, name }) - 1;
  }

  /** When the module is instantiated, a function of its own comes to this place of the table. */
  put(index: number, place: number): void {
    this.places.push({ place, index });
  }
  /** All places are counted from `env.base`. */
  relative(): void {
    this.based = true;
  }

  build(): Uint8Array<ArrayBuffer> {
    const out = new Bytes();
    out.append([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const section = (id: number, fill: (content: Bytes) => void): void => {
      const content = new Bytes();
      fill(content);
      out.u8(id);
      out.vector(content.bytes());
    };
    section(1, (c) => {
      c.u32(this.signatures.length);
      for (const { parameters, results } of this.signatures) {
        c.u8(0x60);
        c.vector(Uint8Array.from(parameters));
        c.vector(Uint8Array.from(results));
      }
    });
    section(2, (c) => {
      c.u32(this.imports.length + (this.based ? 3 : 2));
      for (const { name, type } of this.imports) {
        c.name('env');
        c.name(name);
        c.u8(0);
        c.u32(type);
      }
      c.name('env');
      c.name('memory');
      c.append([2, 0, 1]);
      c.name('env');
      c.name('table');
      c.append([1, 0x70, 0, 1]);
      if (!this.based) return;
      c.name('env');
      c.name('base');
      c.append([3, I32, 0]);
    });
    section(3, (c) => {
      c.u32(this.functions.length);
      for (const { type } of this.functions) c.u32(type);
    });
    section(7, (c) => {
      const exported = this.functions.map((f, i) => [f.name, i] as const).filter(([name]) => name !== undefined);
      c.u32(exported.length);
      for (const [name, i] of exported) {
        c.name(name!);
        c.u8(0);
        c.u32(this.imports.length + i);
      }
    });
    this.elements(section);
    this.branchHints(section);
    section(10, (c) => {
      c.u32(this.functions.length);
      for (const { builder } of this.functions) c.vector(builder.body());
    });
    return out.bytes().slice();
  }

  /** One segment for each run of places. */
  private elements(section: (id: number, fill: (content: Bytes) => void) => void): void {
    const runs: { place: number; index: number }[][] = [];
    for (const entry of this.places) {
      const run = runs[runs.length - 1] as (typeof runs)[number] | undefined;
      if (run && run[run.length - 1].place === entry.place - 1) run.push(entry);
      else runs.push([entry]);
    }
    if (runs.length === 0) return;
    assert(!this.based || (runs.length === 1 && runs[0][0].place === 0), 'relative places are one run from 0 on');
    section(9, (c) => {
      c.u32(runs.length);
      for (const run of runs) {
        c.u8(0);
        if (this.based) c.append([0x23, 0]);
        else i32(run[0].place).emit(c);
        c.u8(0x0b);
        c.u32(run.length);
        for (const { index } of run) c.u32(index);
      }
    });
  }

  /** Custom section of the branch hinting proposal; engines without it skip it. It must stand before the code. */
  private branchHints(section: (id: number, fill: (content: Bytes) => void) => void): void {
    const hinted = this.functions
      .map(({ builder }, i) => ({ index: this.imports.length + i, hints: builder.branchHints() }))
      .filter(({ hints }) => hints.length > 0);
    if (hinted.length === 0) return;
    section(0, (c) => {
      c.name('metadata.code.branch_hint');
      c.u32(hinted.length);
      for (const { index, hints } of hinted) {
        c.u32(index);
        c.u32(hints.length);
        for (const { at, likely } of hints) {
          c.u32(at);
          c.u32(1);
          c.u8(likely ? 1 : 0);
        }
      }
    });
  }
}
