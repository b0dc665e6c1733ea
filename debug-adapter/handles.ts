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
  private next = 1;
  private containers = new Map<number, Container>();
  private frames = new Map<number, ShownFrame>();

  private gotos = new Map<number, bigint>();

  /** Everything given out so far is void. */
  clear(): void {
    this.containers.clear();
    this.frames.clear();
    this.gotos.clear();
  }

  addContainer(container: Container): number {
    this.containers.set(this.next, container);
    return this.next++;
  }
  container(reference: number): Container | undefined {
    return this.containers.get(reference);
  }

  addFrame(frame: Omit<ShownFrame, 'id'>): ShownFrame {
    const shown = { ...frame, id: this.next++ };
    this.frames.set(shown.id, shown);
    return shown;
  }
  frame(id: number): ShownFrame | undefined {
    return this.frames.get(id);
  }

  addGoto(gva: bigint): number {
    this.gotos.set(this.next, gva);
    return this.next++;
  }
  goto(id: number): bigint | undefined {
    return this.gotos.get(id);
  }
}
