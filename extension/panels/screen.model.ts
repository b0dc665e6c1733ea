/** A text screen as runs of cells that look alike. Knows neither the DOM nor DAP. */
import type { CustomRequests } from '../../debug-adapter/protocol';

export type Screen = CustomRequests['ringside/screen']['body'];

export interface Run {
  text: string;
  /** 0 to 15. */
  foreground: number;
  /** 0 to 7. */
  background: number;
  blink: boolean;
  cursor: boolean;
}

/** The VGA's default palette (IBM VGA, 6 bits a colour): what text modes start with. */
export const PALETTE = [
  '#000000', '#0000aa', '#00aa00', '#00aaaa', '#aa0000', '#aa00aa', '#aa5500', '#aaaaaa',
  '#555555', '#5555ff', '#55ff55', '#55ffff', '#ff5555', '#ff55ff', '#ffff55', '#ffffff',
] as const; // prettier-ignore

/** One list of runs a row. */
export function runs(screen: Screen): Run[][] {
  const attributes = atob(screen.attributes);
  const { columns, cursor } = screen;
  return screen.text.map((line, row) => {
    const out: Run[] = [];
    let last = -1;
    for (let column = 0; column < columns; column++) {
      const attribute = attributes.charCodeAt(row * columns + column);
      const here = cursor?.row === row && cursor.column === column;
      const run = out.at(-1);
      if (run && attribute === last && !here && !run.cursor) run.text += line[column] ?? ' ';
      else
        out.push({
          text: line[column] ?? ' ',
          foreground: attribute & 15,
          background: (attribute >> 4) & 7,
          blink: (attribute & 0x80) !== 0,
          cursor: here,
        });
      last = attribute;
    }
    return out;
  });
}

/** Keys that leave the panel instead of going to the guest: Tab moves on, as everywhere in the editor, with Control or Shift. */
export const leavesPanel = (event: { key: string; ctrlKey: boolean; shiftKey: boolean }): boolean =>
  event.key === 'Tab' && (event.ctrlKey || event.shiftKey);
