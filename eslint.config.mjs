import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

// Layout is prettier's, import directions are test/tidy.test.ts's; here is what neither sees.
export default defineConfig(
  { ignores: ['dist/', '.cache/', 'node_modules/', 'guests/**/build/'] },
  js.configs.recommended,
  tseslint.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // The compiler reports falling through, and knows what never returns.
      'no-fallthrough': 'off',
      'no-useless-assignment': 'off',
      eqeqeq: 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Use a const object and a union of its values.' },
      ],
    },
  },
  {
    // Run by Node as they are.
    files: ['**/*.mjs', '**/*.cjs', 'scripts/web-workspace/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        ['process', 'console', 'require', 'module', 'exports', 'URL', 'Uint8Array', 'setTimeout', 'fetch'].map(
          (name) => [name, 'readonly'],
        ),
      ),
    },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  // An assertion that stands as a statement: expect-style getters.
  { files: ['test/**'], rules: { '@typescript-eslint/no-unused-expressions': 'off' } },
);
