/** The kernel's structures by their types in BTF: field by field, so that no version's layout is written down here. */
import { bare } from '../expressions/c-types';
import { memberOf } from '../expressions/members';
import type { Type } from '../symbols/api';
import type { KernelMemory } from './memory';

interface Field {
  offset: number;
  type: Type;
}

export class Structures {
  private readonly fields = new Map<string, Field | undefined>();

  constructor(
    readonly memory: KernelMemory,
    private readonly typeNamed: (name: string) => Type | undefined,
  ) {}

  /** `task_struct`, `thread_info.cpu`; undefined: this kernel has no such field. */
  field(tag: string, path: string): Field | undefined {
    const key = `${tag} ${path}`;
    if (!this.fields.has(key)) this.fields.set(key, this.find(tag, path));
    return this.fields.get(key);
  }
  private find(tag: string, path: string): Field | undefined {
    let field: Field | undefined;
    const whole = this.typeNamed(`struct ${tag}`);
    for (const name of path.split('.')) {
      const within = field === undefined ? whole : field.type;
      const found = within && memberOf(within, name);
      if (!found) return undefined;
      field = { offset: found.offset + (field?.offset ?? 0), type: found.type };
    }
    return field;
  }
  bytes(tag: string): number | undefined {
    return this.typeNamed(`struct ${tag}`)?.bytes;
  }

  /** Address of a field; undefined: no such field. */
  at(gva: bigint, tag: string, path: string): bigint | undefined {
    const field = this.field(tag, path);
    return field && gva + BigInt(field.offset);
  }
  /** Integers and pointers; undefined: no such field, or not mapped. */
  number(gva: bigint, tag: string, path: string): bigint | undefined {
    const field = this.field(tag, path);
    const value = field && this.memory.unsigned(gva + BigInt(field.offset), Math.min(8, field.type.bytes));
    if (value === undefined) return undefined;
    const type = bare(field!.type);
    return type.kind === 'base' && type.encoding === 'signed' ? BigInt.asIntN(type.bytes * 8, value) : value;
  }
  /** The first of the fields that this kernel has. */
  either(gva: bigint, tag: string, ...paths: string[]): bigint | undefined {
    for (const path of paths) if (this.field(tag, path)) return this.number(gva, tag, path);
    return undefined;
  }
  /** A character array. */
  text(gva: bigint, tag: string, path: string): string {
    const field = this.field(tag, path);
    return field ? this.memory.text(gva + BigInt(field.offset), Math.max(1, Math.min(4096, field.type.bytes))) : '';
  }

  /** What hangs in a `struct list_head`, as addresses of the structures; stops at `limit`, at damage and where it began. */
  *list(head: bigint, tag: string, path: string, limit: number): Generator<bigint> {
    const offset = this.field(tag, path)?.offset;
    if (offset === undefined) return;
    const seen = new Set<bigint>();
    for (let at = this.memory.pointer(head); at !== undefined && at !== head; at = this.memory.pointer(at)) {
      if (at === 0n || seen.has(at) || seen.size >= limit) return;
      seen.add(at);
      yield at - BigInt(offset);
    }
  }
}
