/** Semantic highlighting: what a name is, which the grammar cannot know. */
import { textOf } from '../syntax/tree';
import type { Statement, Token } from '../syntax/tree';
import type { AssemblyDocument } from '../workspace/document';
import type { Unit } from '../workspace/index';

export const TOKEN_TYPES = ['keyword', 'function', 'macro', 'variable', 'parameter', 'label'] as const;
export const TOKEN_MODIFIERS = ['declaration', 'readonly', 'privileged', 'sensitive'] as const;
type TokenType = (typeof TOKEN_TYPES)[number];
type TokenModifier = (typeof TOKEN_MODIFIERS)[number];

export interface SemanticToken {
  start: number;
  end: number;
  type: TokenType;
  modifiers: TokenModifier[];
}

/** `nature`: of an instruction, whether it traps or is a silent hole when deprivileged. */
export function semanticTokens(
  document: AssemblyDocument,
  unit: Unit,
  nature: (statement: Statement & { kind: 'instruction' }) => 'privileged' | 'sensitive' | undefined,
): SemanticToken[] {
  const kinds = new Map<string, string>();
  for (const { names } of unit.documents)
    for (const { name, kind, numeric } of names.definitions) if (!numeric) kinds.set(name, kind);
  const result: SemanticToken[] = [];
  const add = (span: { start: number; end: number }, type: TokenType, modifiers: TokenModifier[] = []): void =>
    void result.push({ start: span.start, end: span.end, type, modifiers });
  const typeOf = (kind: string | undefined): TokenType | undefined =>
    kind === 'macro' || kind === 'define'
      ? 'macro'
      : kind === 'constant'
        ? 'variable'
        : kind === 'label' || kind === 'structure' || kind === 'common'
          ? 'label'
          : undefined;
  const natures = document.onceEach(nature);
  for (const statement of document.tree.statements) {
    if (statement.kind !== 'instruction') continue;
    if (kinds.get(statement.mnemonic.text) === 'macro' || kinds.get(statement.mnemonic.text) === 'define')
      add(statement.mnemonic, 'macro');
    else {
      const found = natures(statement);
      if (found) add(statement.mnemonic, 'keyword', [found]);
    }
    for (const { tokens } of statement.operands) for (const token of tokens) parameter(document, token, add);
  }
  for (const { at, kind, numeric } of document.names.definitions) {
    const type = typeOf(kind);
    if (type && !numeric && at.end > at.start) add(at, type, ['declaration']);
  }
  const mnemonics = new Set(
    document.tree.statements.flatMap((each) => (each.kind === 'instruction' ? [each.mnemonic.start] : [])),
  );
  for (const { name, at } of document.names.references) {
    const type = mnemonics.has(at.start) ? undefined : typeOf(kinds.get(name));
    if (type) add(at, type, kinds.get(name) === 'constant' ? ['readonly'] : []);
  }
  return withoutOverlaps(result.sort((a, b) => a.start - b.start || b.end - a.end));
}

/** `\name` in macros, `%1` of NASM. */
function parameter(document: AssemblyDocument, token: Token, add: (span: Token, type: TokenType) => void): void {
  const text = textOf(document.tree, token);
  if (/^\\[A-Za-z_]\w*$/.test(text) || (document.nasm && /^%\d+$/.test(text))) add(token, 'parameter');
}

const withoutOverlaps = (tokens: SemanticToken[]): SemanticToken[] => {
  let end = 0;
  return tokens.filter((token) => {
    if (token.start < end) return false;
    end = token.end;
    return true;
  });
};
