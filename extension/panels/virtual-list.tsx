/** A list of rows of one height, of which only those in sight are in the document: a million rows scroll like ten. */
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import './virtual-list.css';

/** Above and below what is in sight. */
const MARGIN = 8;
/** Rows that have their places from the same one. */
const ANCHORED = 1024;
/** Browsers draw nothing beyond some 33 million pixels: what is higher scrolls faster than its bar. */
const MOST_PIXELS = 16e6;

export function VirtualList(props: {
  label: string;
  /** `tree`: rows say their level by `attributes`. */
  role?: 'listbox' | 'tree';
  count: number;
  /** Pixels. */
  rowHeight: number;
  /** Of the row that is chosen; -1: none. */
  selected: number;
  onSelect(index: number): void;
  onClick?(index: number): void;
  onDoubleClick?(index: number): void;
  onEnter?(index: number): void;
  /** What commands in the context menu of a row are given, and what decides which there are: VS Code's `webview/context`. */
  menu?(index: number): object;
  /** Other keys, with the row that is chosen. True: it was for this list. */
  onKey?(key: string, index: number): boolean;
  row(index: number): ComponentChildren;
  /** Of the row's element, besides its own. */
  attributes?(index: number): { class?: string; [name: string]: string | number | boolean | undefined };
  /** Rows now in sight, for those that load as they are seen. */
  onRange?(first: number, end: number): void;
}) {
  const { count, rowHeight, selected, role = 'listbox' } = props;
  const id = useId();
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
  useLayoutEffect(measure, [count]);
  // A row that is chosen and was in sight stays there when the list gets lower.
  const resized = (): void => {
    const { clientHeight } = element.current!;
    const above = rowsAbove(element.current!, count, rowHeight);
    const seen = selected >= 0 && selected * rowHeight >= above && (selected + 1) * rowHeight <= above + sized.current;
    if (seen && clientHeight < sized.current) show(element.current!, selected, count, rowHeight);
    sized.current = clientHeight;
    measure();
  };
  /** Its height at the last look. */
  const sized = useRef(0);
  const told = useRef(resized);
  told.current = resized;
  useEffect(() => {
    const observer = new ResizeObserver(() => element.current && told.current());
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (selected >= 0) show(element.current!, selected, count, rowHeight);
  }, [selected]);

  const move = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(element.current!.clientHeight / rowHeight) - 1);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -count, End: count }; // prettier-ignore
    // Buttons in a row have keys of their own.
    const own = event.target === element.current;
    if (own && event.key === 'Enter' && selected >= 0) props.onEnter?.(selected);
    if (own && props.onKey?.(event.key, selected)) return event.preventDefault();
    const step = steps[event.key];
    if (step === undefined || count === 0) return;
    event.preventDefault();
    props.onSelect(Math.min(count - 1, Math.max(0, (selected < 0 ? (step > 0 ? -1 : 0) : selected) + step)));
  };
  // The editor reads it once this has passed: by a key the list itself is asked for the menu of the row that is chosen.
  const menu = (event: MouseEvent): void => {
    const index = rowOf(event) ?? selected;
    if (!props.menu || index < 0) return;
    if (index !== selected) props.onSelect(index);
    element.current!.dataset['vscodeContext'] = JSON.stringify(props.menu(index));
  };
  // What was in sight of a longer list may lie beyond the end of this one.
  const length = Math.max(0, Math.min(range.end, count) - range.first);
  const rows = Array.from({ length }, (_, n) => range.first + n);
  // Rows keep their places while a list that is too high scrolls: what moves is all of them together.
  const anchor = range.first - (range.first % ANCHORED);
  // While a list scrolls nothing else changes: rows that stay in sight are not compared again.
  const made = useMemo(() => new Map<number, VNode>(), [props, anchor]);
  const make = (index: number): VNode => {
    const { class: classes = '', ...attributes } = props.attributes?.(index) ?? {};
    return (
      <div
        key={index}
        id={`${id}-${index}`}
        role={role === 'tree' ? 'treeitem' : 'option'}
        aria-selected={index === selected}
        aria-posinset={role === 'tree' ? undefined : index + 1}
        aria-setsize={role === 'tree' ? undefined : count}
        class={`row ${index === selected ? 'selected' : ''} ${classes}`}
        style={{ top: `${(index - anchor) * rowHeight}px` }}
        {...attributes}
      >
        {props.row(index)}
      </div>
    );
  };
  return (
    <div
      ref={element}
      class="virtual-list"
      role={role}
      aria-label={props.label}
      aria-activedescendant={selected >= 0 ? `${id}-${selected}` : undefined}
      tabIndex={0}
      onScroll={measure}
      onKeyDown={move}
      onContextMenu={menu}
      onClick={onRow((index) => {
        props.onSelect(index);
        props.onClick?.(index);
      })}
      onDblClick={onRow((index) => props.onDoubleClick?.(index))}
    >
      <div style={{ height: `${height}px`, position: 'relative' }}>
        <div
          class="rows"
          style={{ lineHeight: `${rowHeight}px`, transform: `translateY(${anchor * rowHeight - range.top}px)` }}
        >
          {rows.map((index) => {
            const row = made.get(index) ?? make(index);
            made.set(index, row);
            return row;
          })}
        </div>
      </div>
    </div>
  );
}

/** A list listens for its rows: of a million that scroll by none is given a listener of its own. */
const onRow = (tell: (index: number) => void) => (event: MouseEvent) => {
  const index = rowOf(event);
  if (index !== undefined) tell(index);
};

/** Index of the row that an event comes from. */
function rowOf({ target }: Event): number | undefined {
  const row = (target as Element).closest('.row');
  return row ? Number(row.id.slice(row.id.lastIndexOf('-') + 1)) : undefined;
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
