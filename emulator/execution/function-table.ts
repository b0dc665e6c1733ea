/** The table by which generated code calls the functions of forms and of regions, and who has which place in it. */

const GROWTH = 256;

export class FunctionTable {
  readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: 1024 });
  private readonly free: number[] = [];

  /** `next`: the first place that nobody has. */
  constructor(private next: number) {}

  /** A place that nobody has. Guests that execute every form of every instruction need some 20,000. */
  take(): number {
    return this.free.pop() ?? this.next++;
  }
  set(index: number, code: WebAssembly.ExportValue): void {
    if (this.table.length <= index) this.table.grow(index + 1 - this.table.length + GROWTH);
    this.table.set(index, code);
  }
  /** Forms stay; regions come and go. */
  release(index: number): void {
    this.table.set(index, null);
    this.free.push(index);
  }
}
