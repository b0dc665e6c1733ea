/** Exits by reason over the guest's time: while it stands all of its run, while it runs the last half minute. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { count, ticks, type Series } from './exits.model';
import { translate } from './l10n';

/** Themes' own colours for charts, told apart in each of them; the table beside says the names. */
const COLOURS = ['blue', 'orange', 'green', 'red', 'purple', 'yellow', 'foreground'] as const;
/** Reasons that get a colour of their own. */
export const MAX_LINES = COLOURS.length - 1;

const variable = (name: string): string =>
  getComputedStyle(document.body).getPropertyValue(name).trim() || getComputedStyle(document.body).color;
export const colour = (index: number): string => `var(--vscode-charts-${COLOURS[Math.min(index, MAX_LINES)]})`;

/** `unit`: of the values. */
export function ExitChart({ series, unit }: { series: Series; unit: string }) {
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const names = series.lines.map(({ reason }) => reason).join();
  useEffect(() => {
    const made = new uPlot(options(series, unit, element.current!), data(series), element.current!);
    chart.current = made;
    const size = new ResizeObserver(([entry]) => made.setSize({ width: entry!.contentRect.width, height: HEIGHT }));
    size.observe(element.current!);
    // Another theme has other colours.
    const theme = new MutationObserver(() => made.redraw());
    theme.observe(document.body, { attributes: true, attributeFilter: ['class'] });
    return () => {
      size.disconnect();
      theme.disconnect();
      made.destroy();
    };
  }, [names, unit]);
  useEffect(() => chart.current?.setData(data(series)), [series]);
  // Counted anew since the guest stands, or without exits: there is no line to draw.
  const empty = series.at.length === 0;
  return (
    <>
      {empty && <p class="dim">{inWords(series, unit)}</p>}
      <div ref={element} class="chart" hidden={empty} role="img" aria-label={inWords(series, unit)} />
    </>
  );
}

const HEIGHT = 140;

const data = ({ at, lines }: Series): uPlot.AlignedData => [at, ...lines.map(({ values }) => values)];

function options({ lines }: Series, unit: string, element: HTMLElement): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: () => variable('--vscode-foreground'),
    grid: { stroke: () => variable('--vscode-panel-border'), width: 1 },
    ticks: { stroke: () => variable('--vscode-panel-border'), width: 1 },
    font: `11px ${variable('--vscode-font-family')}`,
    labelFont: `11px ${variable('--vscode-font-family')}`,
    labelGap: 0,
  };
  return {
    width: Math.max(200, element.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: { x: { time: false } },
    axes: [
      { ...axis, label: translate('instructions'), labelSize: 14, size: 30, values: (_, marks) => ticks(marks) },
      { ...axis, label: unit, labelSize: 16, size: 48, space: 18, values: (_, marks) => ticks(marks) },
    ],
    series: [
      {},
      ...lines.map(({ reason, rank }) => ({
        label: reason,
        stroke: () => variable(`--vscode-charts-${COLOURS[Math.min(rank, MAX_LINES)]}`),
        width: 1.5,
        points: { show: false },
      })),
    ],
  };
}

const inWords = ({ at, lines }: Series, unit: string): string =>
  at.length === 0
    ? translate('No exits yet.')
    : translate(
        '{0} over instructions {1} to {2}: {3}',
        unit,
        count(at[0]!),
        count(at.at(-1)!),
        lines.map(({ reason, values }) => translate('{0} at most {1}', reason, count(Math.max(...values)))).join(', '),
      );
