/** A list of rows of one height, of which only those in sight are in the document: a million rows scroll like ten. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

/** Above and below what is in sight. */
const MARGIN = 8;

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
  const [range, setRange] = useState({ first: 0, end: 0 });
  const measure = (): void => {
    const { scrollTop, clientHeight } = element.current!;
    const first = Math.max(0, Math.floor(scrollTop / rowHeight) - MARGIN);
    const end = Math.min(count, Math.ceil((scrollTop + clientHeight) / rowHeight) + MARGIN);
    if (first === range.first && end === range.end) return;
    setRange({ first, end });
    props.onRange?.(first, end);
  };
  useEffect(() => {
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element.current!);
    return () => observer.disconnect();
  });
  useEffect(() => {
    if (selected >= 0) show(element.current!, selected, rowHeight);
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
      <div style={{ height: `${count * rowHeight}px`, position: 'relative' }}>
        {rows.map((index) => (
          <div
            key={index}
            id={`${props.label}-${index}`}
            role="option"
            aria-selected={index === selected}
            aria-posinset={index + 1}
            aria-setsize={count}
            class={index === selected ? 'row selected' : 'row'}
            style={{ height: `${rowHeight}px`, top: `${index * rowHeight}px` }}
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

function show(list: HTMLElement, index: number, rowHeight: number): void {
  const top = index * rowHeight;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + rowHeight > list.scrollTop + list.clientHeight) list.scrollTop = top + rowHeight - list.clientHeight;
}
