/** Assembly in a VS Code in a browser, where the language server is a worker: hover, mistakes, completion, definition. */
import { inBrowser } from './support/in-browser';
import type { Workbench } from './support/workbench';

inBrowser('VS Code in a browser reads assembly', 'language', (workbench) => {
  let code: Workbench;
  before(() => (code = workbench()));

  const keys = async (...all: string[]): Promise<void> => {
    for (const key of all) await code.page.keyboard.press(key);
  };

  it('colours instructions, labels and registers', async () => {
    await code.openFile('boot.S');
    await code.page.locator('.monaco-editor .view-line span[class*="mtk"]', { hasText: '%eax' }).first().waitFor();
  });

  it('marks a mistake', async () => {
    await code.goToLine(1);
    await code.page.keyboard.type('\tpopf\n\tmovv %eax, %ebx\n');
    await code.page.locator('.monaco-editor .squiggly-error').first().waitFor({ state: 'attached', timeout: 60_000 });
  });

  it('tells what an instruction does, and that it is a hole', async () => {
    await code.goToLine(1);
    await keys('End');
    await code.hover('Sensitive and not privileged');
    await code.screenshot('hover');
    await keys('Escape');
  });

  it('offers instructions with their suffixes', async () => {
    await code.goToLine(2);
    await keys('End');
    await code.page.keyboard.type('\n\tcmpxchg');
    await keys('Control+Space');
    await code.page.locator('.suggest-widget .monaco-list-row', { hasText: 'cmpxchgq' }).first().waitFor();
    await code.screenshot('completion');
    await keys('Escape');
  });
});
