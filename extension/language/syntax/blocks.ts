/** What opens, branches and closes, while statements are read in order. */
import type { BareStatement } from './statements';
import type { Block, BlockKind, Name, Operand } from './tree';

type Role = { act: 'open' | 'branch' | 'close'; kind: BlockKind };
const open = (kind: BlockKind): Role => ({ act: 'open', kind });
const branch = (kind: BlockKind): Role => ({ act: 'branch', kind });
const close = (kind: BlockKind): Role => ({ act: 'close', kind });

/** GNU as (manual sections "Macro", "Rept", "If"...); CFI procedures only fold. */
const GAS: Readonly<Record<string, Role>> = {
  '.macro': open('macro'), '.endm': close('macro'), '.endmacro': close('macro'),
  '.rept': open('repeat'), '.rep': open('repeat'), '.irp': open('repeat'), '.irpc': open('repeat'), '.irep': open('repeat'), '.irepc': open('repeat'), '.endr': close('repeat'),
  '.else': branch('if'), '.elseif': branch('if'), '.endif': close('if'),
  '.cfi_startproc': open('procedure'), '.cfi_endproc': close('procedure'),
}; // prettier-ignore
const NASM: Readonly<Record<string, Role>> = {
  '%macro': open('macro'), '%imacro': open('macro'), '%rmacro': open('macro'), '%irmacro': open('macro'), '%endmacro': close('macro'), '%endm': close('macro'),
  '%rep': open('repeat'), '%endrep': close('repeat'),
  '%else': branch('if'), '%endif': close('if'),
  '%comment': open('comment'), '%endcomment': close('comment'),
  struc: open('structure'), endstruc: close('structure'), istruc: open('structure'), iend: close('structure'),
}; // prettier-ignore

export function roleOf(statement: BareStatement, nasm: boolean): Role | undefined {
  if (statement.kind === 'preprocessor') {
    const { text } = statement.name;
    if (text === 'if' || text === 'ifdef' || text === 'ifndef') return open('cpp-if');
    if (text === 'elif' || text === 'else') return branch('cpp-if');
    return text === 'endif' ? close('cpp-if') : undefined;
  }
  if (statement.kind !== 'directive') return undefined;
  const { text } = statement.name;
  const table = nasm ? NASM : GAS;
  if (Object.hasOwn(table, text)) return table[text];
  if (/^(%|\.)if/.test(text)) return open('if');
  return /^%elif/.test(text) ? branch('if') : undefined;
}

/** The preprocessor's conditionals cut across the assembler's blocks, so there are two stacks. */
export class BlockStacks {
  readonly blocks: Block[] = [];
  private readonly cpp: number[] = [];
  private readonly assembler: number[] = [];

  get innermost(): number {
    return this.assembler[this.assembler.length - 1] ?? this.cpp[this.cpp.length - 1] ?? -1;
  }

  get templated(): boolean {
    return this.assembler.some((index) => /macro|repeat|comment/.test(this.blocks[index].kind));
  }

  /** `#3.0` is the first branch of block 3 of the preprocessor. */
  get path(): string {
    const conditional = (index: number): boolean => /if/.test(this.blocks[index].kind);
    const part = (sign: string) => (index: number) => `/${sign}${index}.${this.blocks[index].branches.length}`;
    return [...this.cpp.map(part('#')), ...this.assembler.filter(conditional).map(part('.'))].join('');
  }

  /** False: nothing is open for it. */
  enter(role: Role, index: number, about: { name?: Name; parameters?: Name[] }): boolean {
    const stack = role.kind === 'cpp-if' ? this.cpp : this.assembler;
    if (role.act === 'open') {
      this.blocks.push({ kind: role.kind, open: index, branches: [], parent: this.innermost, ...about });
      stack.push(this.blocks.length - 1);
      return true;
    }
    const found = stack.map((each) => this.blocks[each].kind).lastIndexOf(role.kind);
    if (found < 0) return false;
    const block = this.blocks[stack[found]];
    if (role.act === 'branch') block.branches.push(index);
    else {
      block.close = index;
      // What was left open inside ends here, too, and is found by its missing end.
      stack.length = found;
    }
    return true;
  }
}

/** `.macro name a, b=1, c:req` and `%macro name 2-3`: the name and, of the first, its parameters. */
export function macroOf(operands: readonly Operand[], text: string): { name?: Name; parameters?: Name[] } {
  const [first] = operands;
  const token = first?.tokens[0];
  if (token === undefined) return {};
  const named = (at: { start: number; end: number }): Name => ({ start: at.start, end: at.end, text: text.slice(at.start, at.end) }); // prettier-ignore
  const words = operands.flatMap((operand, n) => {
    const own = n === 0 ? operand.tokens.slice(1) : operand.tokens;
    // A name behind `=` is a default, one behind `:` says `req` or `vararg`.
    return own.filter((each, i) => each.kind === 'name' && !/[=:]/.test(text.slice(own[i - 1]?.end ?? each.start, each.start) + (own[i - 1] ? text.slice(own[i - 1].start, own[i - 1].end) : ''))); // prettier-ignore
  });
  return { name: named(token), parameters: words.map(named) };
}
