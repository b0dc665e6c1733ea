/** The table by which generated code calls the functions of forms and of regions, and who has which place in it. */

const GROWTH = 256;

export class FunctionTable {
  readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: 1024 });
  private readonly free: number[] = [];

  /** `next`: the first place that nobody has. */
  constructor(private next: number) {}

  /** A place that nobody has, for a module to put a function to. Guests that execute every form of every instruction need some 20,000. */
  take(): number {
    return this.free.pop() ?? this.takeRun(1);
  }
  /** The first of so many, one after the other. */
  takeRun(places: number): number {
    const first = this.next;
    this.next += places;
    if (this.table.length < this.next) this.table.grow(this.next - this.table.length + GROWTH);
    return first;
  }
  /** Forms stay; regions come and go. */
  release(index: number): void {
    this.table.set(index, null);
    this.free.push(index);
  }
}
