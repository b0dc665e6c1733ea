/** A list of rows of one height, of which only those in sight are in the document: a million rows scroll like ten. */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import './virtual-list.css';

/** Above and below what is in sight. */
const MARGIN = 8;
/** Browsers draw nothing beyond some 33 million pixels: what is higher scrolls faster than its bar. */
const MOST_PIXELS = 16e6;

export function VirtualList(props: {
  label: string;
  count: number;
  /** Pixels. */
  rowHeight: number;
  /** Of the row that is chosen; -1: none. */
  selected: number;
  onSelect(index: number): void;
  /** Enter or a double click. */
  onOpen?(index: number): void;
  row(index: number): ComponentChildren;
  /** Rows now in sight, for those that load as they are seen. */
  onRange?(first: number, end: number): void;
}) {
  const { count, rowHeight, selected } = props;
  const element = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState({ first: 0, end: 0, top: 0 });
  const height = Math.min(count * rowHeight, MOST_PIXELS);
  const measure = (): void => {
    const list = element.current;
    // Told of its size once more after it is gone.
    if (!list) return;
    const top = rowsAbove(list, count, rowHeight);
    const first = Math.max(0, Math.floor(top / rowHeight) - MARGIN);
    const end = Math.min(count, Math.ceil((top + list.clientHeight) / rowHeight) + MARGIN);
    // Where rows stand is known from their index alone, unless the list is too high.
    const moved = height < count * rowHeight ? top - list.scrollTop : 0;
    if (first === range.first && end === range.end && moved === range.top) return;
    setRange({ first, end, top: moved });
    props.onRange?.(first, end);
  };
  const latest = useRef(measure);
  latest.current = measure;
  useLayoutEffect(() => latest.current(), [count]);
  useEffect(() => {
    const observer = new ResizeObserver(() => latest.current());
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (selected >= 0) show(element.current!, selected, count, rowHeight);
  }, [selected]);

  const move = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(element.current!.clientHeight / rowHeight) - 1);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -count, End: count }; // prettier-ignore
    if (event.key === 'Enter' && selected >= 0) props.onOpen?.(selected);
    const step = steps[event.key];
    if (step === undefined || count === 0) return;
    event.preventDefault();
    props.onSelect(Math.min(count - 1, Math.max(0, (selected < 0 ? (step > 0 ? -1 : 0) : selected) + step)));
  };
  // What was in sight of a longer list may lie beyond the end of this one.
  const length = Math.max(0, Math.min(range.end, count) - range.first);
  const rows = Array.from({ length }, (_, n) => range.first + n);
  return (
    <div
      ref={element}
      class="virtual-list"
      role="listbox"
      aria-label={props.label}
      aria-activedescendant={selected >= 0 ? `${props.label}-${selected}` : undefined}
      tabIndex={0}
      onScroll={measure}
      onKeyDown={move}
    >
      <div style={{ height: `${height}px`, position: 'relative' }}>
        {rows.map((index) => (
          <div
            key={index}
            id={`${props.label}-${index}`}
            role="option"
            aria-selected={index === selected}
            aria-posinset={index + 1}
            aria-setsize={count}
            class={index === selected ? 'row selected' : 'row'}
            style={{ height: `${rowHeight}px`, top: `${index * rowHeight - range.top}px` }}
            onClick={() => props.onSelect(index)}
            onDblClick={() => props.onOpen?.(index)}
          >
            {props.row(index)}
          </div>
        ))}
      </div>
    </div>
  );
}

/** Pixels of rows above what is in sight. */
function rowsAbove({ scrollTop, clientHeight }: HTMLElement, count: number, rowHeight: number): number {
  const [all, shown] = [count * rowHeight - clientHeight, MOST_PIXELS - clientHeight];
  return all > shown ? (scrollTop * all) / shown : scrollTop;
}

function show(list: HTMLElement, index: number, count: number, rowHeight: number): void {
  const above = rowsAbove(list, count, rowHeight);
  const { clientHeight } = list;
  const wanted = Math.min(index * rowHeight, Math.max(above, (index + 1) * rowHeight - clientHeight));
  if (wanted === above) return;
  const [all, shown] = [count * rowHeight - clientHeight, MOST_PIXELS - clientHeight];
  list.scrollTop = all > shown ? (wanted * shown) / all : wanted;
}
