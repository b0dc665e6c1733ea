/** Scopes of both grammars, as VS Code's own engine gives them: compared with test/golden/syntax, by UPDATE=1 written anew. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createOnigScanner, createOnigString, loadWASM } from 'vscode-oniguruma';
import { INITIAL, parseRawGrammar, Registry } from 'vscode-textmate';
import type { IGrammar } from 'vscode-textmate';

const ROOT = resolve(__dirname, '../../..');
const GOLDEN = join(ROOT, 'test/golden/syntax');
const GRAMMARS: Record<string, string> = { 'source.asm.gas': 'gas', 'source.asm.nasm': 'nasm' };

async function grammar(scope: string): Promise<IGrammar> {
  const onigLib = loadWASM(readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm')))
    .catch(() => undefined)
    .then(() => ({ createOnigScanner, createOnigString }));
  const registry = new Registry({
    onigLib,
    loadGrammar: (name) => {
      const file = join(ROOT, 'syntaxes', `${GRAMMARS[name]}.tmLanguage.json`);
      return Promise.resolve(parseRawGrammar(readFileSync(file, 'utf8'), file));
    },
  });
  const loaded = await registry.loadGrammar(scope);
  assert.ok(loaded, `${scope} loads`);
  return loaded;
}

/** Each line, and below it its tokens with their scopes, without the language's own. */
function scopesOf(language: IGrammar, text: string): string {
  let state = INITIAL;
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    lines.push(line);
    const { tokens, ruleStack } = language.tokenizeLine(line, state);
    state = ruleStack;
    for (const { startIndex, endIndex, scopes } of tokens) {
      const names = scopes.slice(1).map((scope) => scope.replace(/\.asm(\.\w+)?$/, ''));
      const word = line.slice(startIndex, endIndex);
      if (names.length && word.trim() !== '') lines.push(`    ${word.trim()}  ${names.join(' ')}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

describe('grammars', () => {
  for (const file of readdirSync(GOLDEN).filter((name) => !name.endsWith('.scopes')))
    it(file, async () => {
      const language = await grammar(file.endsWith('.asm') ? 'source.asm.nasm' : 'source.asm.gas');
      const found = scopesOf(language, readFileSync(join(GOLDEN, file), 'utf8').trimEnd());
      const golden = join(GOLDEN, `${file}.scopes`);
      if (process.env.UPDATE || !existsSync(golden)) writeFileSync(golden, found);
      assert.equal(found, readFileSync(golden, 'utf8'));
    });

  it('every instruction of a real source is one', async () => {
    const language = await grammar('source.asm.gas');
    const scopes = scopesOf(language, readFileSync(join(ROOT, 'guests/sample/boot.S'), 'utf8'));
    for (const word of ['movl', 'ljmp', 'lgdt', 'wrmsr']) assert.match(scopes, new RegExp(`^    ${word}  keyword.mnemonic$`, 'm')); // prettier-ignore
  });
});
