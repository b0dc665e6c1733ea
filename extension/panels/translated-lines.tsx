/** Both columns: a row is an instruction of the guest and all that is executed for it, so that they stay beside each other. */
import { useEffect, useRef } from 'preact/hooks';
import { translate } from './l10n';
import { hexBytes, shortAddress, TREATMENTS, type Block, type Instruction } from './translated.model';

export function CodeLines(props: {
  block: Block;
  /** gva at which the processor stands. */
  here: string;
  /** hpa of its next step in the translation. */
  stands: number | undefined;
  selected: number;
  onSelect(index: number): void;
  /** Enter, or a double click. */
  onOpen(line: Instruction): void;
}) {
  const { block, here, stands, selected, onSelect, onOpen } = props;
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    element.current?.querySelector('.selected')?.scrollIntoView({ block: 'nearest' });
  }, [selected, block]);
  const last = block.instructions.length - 1;
  const move = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && block.instructions[selected]) return onOpen(block.instructions[selected]);
    const to = { ArrowDown: selected + 1, ArrowUp: selected - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    onSelect(Math.min(last, Math.max(0, to)));
  };
  return (
    <div class="code">
      <div class="heads" aria-hidden="true">
        <span>{translate('Guest, {0}', `gv:${block.gva}`)}</span>
        <span>
          {translate('Translated, {0}', `hp:0x${block.hpa.toString(16)}`)}{' '}
          <small>{translate('{0} bytes, seen at {1}', block.bytes, `gv:${block.mappedAt}`)}</small>
        </span>
      </div>
      <div
        ref={element}
        class="lines"
        role="listbox"
        tabIndex={0}
        aria-label={translate('Guest code and its translation')}
        aria-activedescendant={selected >= 0 ? `line-${selected}` : undefined}
        onKeyDown={move}
      >
        {block.instructions.map((line, index) => (
          <div
            key={line.gva}
            id={`line-${index}`}
            role="option"
            aria-selected={index === selected}
            class={['line', index === selected && 'selected', line.gva === here && 'here'].filter(Boolean).join(' ')}
            onClick={() => onSelect(index)}
            onDblClick={() => onOpen(line)}
          >
            <Guest line={line} here={line.gva === here} />
            <Made line={line} stands={stands} />
          </div>
        ))}
      </div>
    </div>
  );
} // prettier-ignore

function Mark({ here }: { here: boolean }) {
  return (
    <span class="mark">
      {here && <span aria-hidden="true">▶</span>}
      {here && <span class="hidden">{translate('the processor stands here')}</span>}
    </span>
  );
}

/** A line's name is what it shows, but for addresses that have names: who listens hears code. */
function Guest({ line: { gva, place, text, bytes, treatment }, here }: { line: Instruction; here: boolean }) {
  return (
    <div class="guest">
      <Mark here={here} />
      <span class="at" title={place}>
        <span aria-hidden={place !== undefined}>{shortAddress(gva)}</span> {place && <small>{place}</small>}
      </span>
      <span class="text" title={hexBytes(bytes)}>
        {text}
      </span>
      <span class={`treatment ${treatment}`} title={TREATMENTS[treatment]}>
        {treatment}
      </span>
    </div>
  );
}

function Made({ line: { translated }, stands }: { line: Instruction; stands: number | undefined }) {
  return (
    <div class="made">
      {translated.map(({ hpa, text, bytes }) => (
        <div key={hpa} class={hpa === stands ? 'stands' : ''}>
          <Mark here={hpa === stands} />
          <span class="at" aria-hidden="true">
            {hpa.toString(16)}
          </span>
          <span class="text" title={hexBytes(bytes)}>
            {text}
          </span>
        </div>
      ))}
    </div>
  );
}
