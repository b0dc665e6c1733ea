/** What opens, branches and closes, while statements are read in order. */
import type { BareStatement } from './statements';
import type { Block, BlockKind, Branch, Name, Operand, Statement } from './tree';

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

const isConditional = (kind: BlockKind): boolean => kind === 'if' || kind === 'cpp-if';
const TEMPLATES: readonly BlockKind[] = ['macro', 'repeat', 'comment'];

/** Blocks that are open, one in another. However deep they are, what opens, branches or closes costs the same. */
class Nest {
  private readonly open: { number: number; block: Block; outer: Branch | undefined }[] = [];
  /** Places in `open`. */
  private readonly places = new Map<BlockKind, number[]>();
  /** The one of its conditionals that is being read. */
  branch: Branch | undefined;

  get innermost(): number | undefined {
    return this.open[this.open.length - 1]?.number;
  }
  has(kind: BlockKind): boolean {
    return this.placesOf(kind).length > 0;
  }
  push(block: Block, number: number): void {
    this.placesOf(block.kind).push(this.open.length);
    this.open.push({ number, block, outer: this.branch });
    if (isConditional(block.kind)) this.branch = { open: block.open, start: block.open, outer: this.branch };
  }
  /** Of the innermost block of its kind. False: none is open. */
  divide(kind: BlockKind, statement: number): boolean {
    const found = this.find(kind);
    if (!found) return false;
    const { block, outer } = found;
    block.branches.push(statement);
    this.branch = { open: block.open, start: statement, outer };
    return true;
  }
  /** What was left open inside ends here, too, and is found by its missing end. */
  close(kind: BlockKind, statement: number): boolean {
    const found = this.find(kind);
    if (!found) return false;
    found.block.close = statement;
    let last;
    do {
      last = this.open.pop()!;
      this.placesOf(last.block.kind).pop();
      if (isConditional(last.block.kind)) this.branch = last.outer;
    } while (last !== found);
    return true;
  }
  private find(kind: BlockKind): (typeof this.open)[number] | undefined {
    const places = this.placesOf(kind);
    return places.length ? this.open[places[places.length - 1]] : undefined;
  }
  private placesOf(kind: BlockKind): number[] {
    let places = this.places.get(kind);
    if (!places) this.places.set(kind, (places = []));
    return places;
  }
}

/** The preprocessor's conditionals cut across the assembler's blocks, so there are two of them. */
export class BlockStacks {
  readonly blocks: Block[] = [];
  private readonly cpp = new Nest();
  private readonly assembler = new Nest();

  get innermost(): number {
    return this.assembler.innermost ?? this.cpp.innermost ?? -1;
  }
  get templated(): boolean {
    return TEMPLATES.some((kind) => this.assembler.has(kind));
  }
  get branches(): Pick<Statement, 'cppBranch' | 'branch'> {
    return { cppBranch: this.cpp.branch, branch: this.assembler.branch };
  }

  /** False: nothing is open for it. */
  enter({ act, kind }: Role, statement: number, about: { name?: Name; parameters?: Name[] }): boolean {
    const nest = kind === 'cpp-if' ? this.cpp : this.assembler;
    if (act === 'branch') return nest.divide(kind, statement);
    if (act === 'close') return nest.close(kind, statement);
    const block: Block = { kind, open: statement, branches: [], parent: this.innermost, ...about };
    nest.push(block, this.blocks.push(block) - 1);
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
