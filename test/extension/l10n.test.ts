/** What users read can be translated: messages are in l10n/bundle.l10n.json, the manifest's texts in package.nls.json. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { bundle, BUNDLE, messages } from '../../scripts/l10n';

const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** Literals that go to the editor's messages, lists and titles; words, not icons, examples or commands. */
const SAID =
  /\b(?:show(?:Error|Information|Warning)Message\(|(?:title|prompt|placeHolder|placeholder|tooltip|openLabel)\s*[:=]\s*)(['"`])([A-Z][^'"`]* [^'"`]*)\1/g;
/** The language server says what assemblers say. */
const EXEMPT = /^language\/(features|isa|server)/;

const sources = readdirSync('extension', { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));

describe('words that users read', () => {
  it('l10n/bundle.l10n.json has every message of the extension, and no other: npm run l10n writes it', () => {
    assert.deepEqual(json(BUNDLE), bundle());
  });

  it('messages are whole: what is put together cannot be looked up', () => {
    assert.deepEqual(messages().filter(({ text }) => text === undefined).map(({ place }) => place), []);
  });

  it('nothing is said past the bundle', () => {
    const past = sources.filter((name) => !EXEMPT.test(name)).flatMap((name) => {
      const source = readFileSync(join('extension', name), 'utf8');
      return [...source.matchAll(SAID)].map(({ 2: text }) => `${name}: ${text}`);
    });
    assert.deepEqual(past, []);
  });

  it('what panels show goes through translate()', () => {
    const past = sources.filter((name) => name.endsWith('.tsx')).flatMap((name) => untranslated(join('extension', name)));
    assert.deepEqual(past, []);
  });

  it('the manifest’s texts are in package.nls.json, and no others', () => {
    const keys = texts(json('package.json')).flatMap((text) => /^%(.+)%$/.exec(text)?.[1] ?? []);
    assert.deepEqual([...new Set(keys)].sort(), Object.keys(json('package.nls.json') as object).sort());
  });

  it('the manifest says nothing itself', () => {
    const { contributes } = json('package.json') as { contributes: object };
    assert.deepEqual(texts(contributes, SHOWN).filter((text) => !/^%.+%$/.test(text) && !NAMES.has(text)), []);
  });
}); // prettier-ignore

/** Fields of the manifest that users read. */
const SHOWN = /^(title|description|label|name|contents|altText|enumDescriptions|markdownDescription)$/;
/** Of the product, and what users type. */
const NAMES = new Set(['Ringside', 'ringside', 'Debug a kernel', 'first', 'second']);

/** All strings, or those of certain fields. */
function texts(value: unknown, fields?: RegExp, wanted = fields === undefined): string[] {
  if (typeof value === 'string') return wanted ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((each) => texts(each, fields, wanted));
  if (typeof value !== 'object' || value === null) return [];
  // A snippet's body is a launch configuration, and scopes are of grammars.
  const entries = Object.entries(value).filter(([name]) => name !== 'body' && name !== 'scopes');
  return entries.flatMap(([name, each]) => texts(each, fields, fields === undefined || fields.test(name)));
}

/** Attributes that are read out or shown. */
const READ = /^(title|label|placeholder|alt|aria-label|aria-description)$/;
const WORD = /[A-Za-z]{2,}/;
/** What users may type, and notations of the debugger. */
const EXAMPLE = /\b[gh][vp]:0x|==|^[gh][vp]:$|^:?0x$/;

/** Either side may be what is shown; comparisons are not. */
const VALUE = new Set([ts.SyntaxKind.PlusToken, ts.SyntaxKind.BarBarToken, ts.SyntaxKind.QuestionQuestionToken, ts.SyntaxKind.AmpersandAmpersandToken]); // prettier-ignore

/** `file:line: text` for what stands in JSX without a way to translate it. */
function untranslated(path: string): string[] {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found: string[] = [];
  const say = (node: ts.Node, text: string): void => {
    if (!WORD.test(text) || EXAMPLE.test(text.trim())) return;
    found.push(`${path}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${text.trim()}`);
  };
  /** An expression's value is shown: literals that may be it. */
  const shown = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) return say(node, node.text);
    if (ts.isTemplateExpression(node)) {
      say(node, node.head.text);
      node.templateSpans.forEach(({ literal }) => say(literal, literal.text));
    } else if (ts.isConditionalExpression(node)) [node.whenTrue, node.whenFalse].forEach(shown);
    else if (ts.isBinaryExpression(node) && VALUE.has(node.operatorToken.kind)) [node.left, node.right].forEach(shown);
    else if (ts.isParenthesizedExpression(node)) shown(node.expression);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) say(node, node.text);
    if (ts.isJsxExpression(node) && node.expression && !ts.isJsxAttribute(node.parent)) shown(node.expression);
    if (ts.isJsxAttribute(node) && READ.test(node.name.getText()) && node.initializer)
      shown(ts.isJsxExpression(node.initializer) ? node.initializer.expression! : node.initializer);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}
