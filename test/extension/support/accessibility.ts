/** What a panel is to those who do not see it, or do not use a mouse: axe's findings, and where the Tab key leads. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Frame } from 'playwright-core';
import type { Workbench } from './workbench';

const AXE = readFileSync(createRequire(__filename).resolve('axe-core/axe.min.js'), 'utf8');
/** More stops than any panel has. */
const MOST_STOPS = 200;

interface Violation {
  id: string;
  impact: string;
  nodes: { target: unknown[]; html: string; failureSummary: string }[];
}

/** Of the panel in front, once it shows something. */
export async function panelFrame(code: Workbench): Promise<Frame> {
  const main = await code.webview().locator('main').elementHandle();
  return (await main!.ownerFrame())!;
}

/** Serious and critical ones, each with the first element that has it. `rules`: those alone. */
export async function violationsIn(frame: Frame, rules?: string[], behind: 'panel' | 'editor' = 'panel'): Promise<string[]> {
  await frame.evaluate(`${AXE}; undefined`);
  // A page is transparent: what is behind it belongs to the editor, which axe does not see.
  await frame.evaluate(`document.documentElement.style.background = 'var(--vscode-${behind}-background)'`);
  const found = await frame.evaluate<Violation[]>(`axe.run(document, ${JSON.stringify({ resultTypes: ['violations'], ...(rules && { runOnly: rules }) })}).then(({ violations }) => violations)`);
  const first = new Map<string, string>();
  for (const { id, impact, nodes } of found)
    for (const { html, failureSummary } of /serious|critical/.test(impact) ? nodes : []) {
      const what = `${id}: ${failureSummary.replace(/\s+/g, ' ').replace('Fix any of the following: ', '')}`;
      if (!first.has(what)) first.set(what, html.slice(0, 120));
    }
  return [...first].map(([what, html]) => `${html}: ${what}`);
} // prettier-ignore

export interface Stop {
  /** What can be seen of it. */
  what: string;
  /** Something is drawn because it has the focus. */
  marked: boolean;
}

/** In the page: controls in sight, into shadow roots; each gets a number. */
const CONTROLS = `
  const all = [];
  const into = (root) => {
    for (const each of root.querySelectorAll('*')) {
      const wanted = each.matches('button, input, select, textarea, a[href], [tabindex]') && each.tabIndex >= 0 && !each.disabled;
      const inner = wanted && each.shadowRoot?.querySelector('button, input, [tabindex="0"]');
      if (wanted && !inner && each.checkVisibility({ visibilityProperty: true })) all.push(each);
      if (each.shadowRoot) into(each.shadowRoot);
    }
  };
  into(document);
  const nameOf = (each) => {
    const host = each.getRootNode().host;
    const text = each.getAttribute('aria-label') || each.textContent.trim() || host?.getAttribute('label') || host?.textContent.trim() || '';
    return (host ?? each).localName + ' ' + text.slice(0, 40);
  };
  const drawn = (each) => {
    const { outlineStyle, outlineWidth, outlineColor, borderColor, boxShadow, backgroundColor } = getComputedStyle(each);
    return [outlineStyle === 'none' ? '' : outlineWidth + outlineColor, borderColor, boxShadow, backgroundColor].join();
  };
  const look = (each) => {
    const host = each.getRootNode().host ?? each;
    return [each, host, ...(host.shadowRoot?.querySelectorAll('*') ?? []), ...each.querySelectorAll('*')].map(drawn).join(';');
  };
  const deepest = () => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at;
  };
`;

export const controlsIn = (frame: Frame): Promise<string[]> =>
  frame.evaluate(`(() => { ${CONTROLS} return all.map(nameOf); })()`);

/** Tab from the panel's first control, or Shift+Tab from its last, until the focus leaves it. */
export async function tabStopsIn(frame: Frame, key: 'Tab' | 'Shift+Tab'): Promise<Stop[]> {
  const page = frame.page();
  await frame.evaluate(
    `(() => { ${CONTROLS} window.before = undefined; all.at(${key === 'Tab' ? 0 : -1})?.focus(); })()`,
  );
  const stops: Stop[] = [];
  for (; stops.length < MOST_STOPS; await page.keyboard.press(key)) {
    // The one before is compared with what it was: now it has no focus. Some elements of libraries are drawn a frame later.
    const { name, changed } = await frame.evaluate<{ name: string | null; changed: boolean }>(`(async () => {
      ${CONTROLS}
      await new Promise((drawn) => setTimeout(drawn, 30));
      const changed = window.before !== undefined && look(window.before.at) !== window.before.look;
      const at = document.hasFocus() && document.activeElement !== document.body ? deepest() : null;
      window.before = at ? { at, look: look(at) } : undefined;
      return { name: at && nameOf(at), changed };
    })()`);
    const last = stops.at(-1);
    if (last) last.marked = changed;
    if (name === null) break;
    stops.push({ what: name, marked: false });
  }
  return stops;
}
