/** DAP references: numbers that mean something only while the machine stands still. Never reused, so stale ones are noticed. */
import type { Children } from './scopes/node';
import type { InlineFrame } from './symbols/api';
import type { Frame } from './frames';

/** One line of the call stack: a code frame shows once for each function inlined into it. */
export interface ShownFrame {
  id: number;
  cpu: number;
  frame: Frame;
  /** Index into `framesAt`: 0 is the innermost. */
  depth: number;
  inline?: InlineFrame;
}

export interface Container {
  children: Children;
  frame?: ShownFrame;
}

export class Handles {
  /** `counter`: shared with other handles of the session, so that a reference says whose it is. */
  constructor(private readonly counter = { next: 1 }) {}
  private containers = new Map<number, Container>();
  private frames = new Map<number, ShownFrame>();

  private gotos = new Map<number, bigint>();

  has(reference: number): boolean {
    return this.containers.has(reference) || this.frames.has(reference) || this.gotos.has(reference);
  }

  /** Everything given out so far is void. */
  clear(): void {
    this.containers.clear();
    this.frames.clear();
    this.gotos.clear();
  }

  addContainer(container: Container): number {
    this.containers.set(this.counter.next, container);
    return this.counter.next++;
  }
  container(reference: number): Container | undefined {
    return this.containers.get(reference);
  }

  addFrame(frame: Omit<ShownFrame, 'id'>): ShownFrame {
    const shown = { ...frame, id: this.counter.next++ };
    this.frames.set(shown.id, shown);
    return shown;
  }
  frame(id: number): ShownFrame | undefined {
    return this.frames.get(id);
  }

  addGoto(gva: bigint): number {
    this.gotos.set(this.counter.next, gva);
    return this.counter.next++;
  }
  goto(id: number): bigint | undefined {
    return this.gotos.get(id);
  }
}
