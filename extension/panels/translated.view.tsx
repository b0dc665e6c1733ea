/** The translated-code panel's half in the webview: a block of the guest and, beside each instruction, what is executed for it. */
import { useEffect, useState } from 'preact/hooks';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import { Connection } from './connection';
import { useField, useTrail } from './field';
import { Quiet, show, useGuest } from './guest';
import { translate } from './l10n';
import { CodeLines } from './translated-lines';
import {
  cacheText,
  indexOf,
  positionText,
  waysOut,
  type Block,
  type Instruction,
  type Translated,
} from './translated.model';
import './translated.css';

const connection = new Connection();

const QUIET = {
  none: translate(
    'Start debugging a guest with "technique": "binary-translation" to see its code and what is executed for it.',
  ),
  running: translate('The guest is running. Pause it to see its code.'),
};

function Panel() {
  /** Without an address: where the processor stands. */
  const { address, go, back } = useTrail();
  const { state, stop } = useGuest(connection, (news) => news.kind === 'translated' && go(news.address));
  const { answer, now, error } = useTranslated(address, stop, state === 'stopped');
  return (
    <main class={state}>
      {state !== 'none' && stop > 0 && (
        <>
          <Bar address={address} stopped={state === 'stopped'} onGo={go} onBack={back} />
          {error !== undefined && <p role="alert">{error}</p>}
          {error === undefined && answer && <Blocks key={answer.blocks[0]?.hpa} answer={answer} now={now!} onGo={go} />}
        </>
      )}
      <Quiet state={state} words={QUIET} />
    </main>
  );
}

interface Asked {
  answer?: Translated;
  /** Where the processor stands, whatever is looked at. */
  now?: Translated;
  error?: string;
}
function useTranslated(address: string, stop: number, stopped: boolean): Asked {
  const [state, setState] = useState<Asked>({});
  useEffect(() => {
    if (!stopped) return;
    let current = true;
    const ask = async (): Promise<void> => {
      const now = await connection.request('ringside/translated', {});
      const answer = address === '' ? now : await connection.request('ringside/translated', { address });
      if (current) setState({ answer, now });
    };
    ask().catch((error: Error) => current && setState({ error: error.message }));
    return () => {
      current = false;
    };
  }, [address, stop, stopped]);
  return state;
}

function Bar(props: {
  address: string;
  stopped: boolean;
  onGo(address: string): void;
  onBack: (() => void) | undefined;
}) {
  const { own, submit } = useField(props.address, props.onGo);
  const step = (where: 'guest' | 'translation') => () => connection.act({ do: 'step', in: where });
  return (
    <form onSubmit={submit}>
      <vscode-button secondary disabled={!props.onBack} onClick={props.onBack}>
        {translate('Back')}
      </vscode-button>
      <vscode-textfield
        label={translate('Address of guest or translated code')}
        placeholder={translate('gv:0x1000, hp:0x1000, &function; empty: where the processor stands')}
        {...own}
      />
      <vscode-button onClick={submit}>{translate('Show')}</vscode-button>
      <vscode-button secondary disabled={!props.address} onClick={() => props.onGo('')}>
        {translate('Follow the processor')}
      </vscode-button>
      <vscode-button
        secondary
        disabled={!props.stopped}
        title={translate('One instruction of the guest')}
        onClick={step('guest')}
      >
        {translate('Step guest')}
      </vscode-button>
      <vscode-button
        secondary
        disabled={!props.stopped}
        title={translate(
          'One step in what is executed: jumps between translations and calls of the hypervisor are steps, too',
        )}
        onClick={step('translation')}
      >
        {translate('Step translated')}
      </vscode-button>
    </form>
  );
}

function Blocks(props: { answer: Translated; now: Translated; onGo(address: string): void }) {
  const { answer, now, onGo } = props;
  /** Of several translations that hold the instruction. */
  const [chosen, setChosen] = useState(0);
  const block = answer.blocks[chosen] ?? answer.blocks[0];
  return (
    <>
      {answer.blocks.length > 1 && (
        <div class="bar" role="toolbar" aria-label={translate('Translations that hold this instruction')}>
          {answer.blocks.map((each, n) => (
            <button key={each.hpa} class="choice" aria-pressed={each === block} onClick={() => setChosen(n)}>
              {translate('block at {0}', `hp:0x${each.hpa.toString(16)}`)}
            </button>
          ))}
        </div>
      )}
      {block ? <Code {...{ answer, block, now, onGo }} /> : <p>{answer.text}</p>}
      <p role="status">{positionText(now.position)}</p>
      <p class="dim">{cacheText(answer)}</p>
    </>
  );
}

function Code(props: { answer: Translated; block: Block; now: Translated; onGo(address: string): void }) {
  const { answer, block, now, onGo } = props;
  const [selected, setSelected] = useState(-1);
  useEffect(() => setSelected(indexOf(block, answer.gva)), [block, answer]);
  const line = block.instructions[selected];
  return (
    <>
      <CodeLines
        block={block}
        here={now.gva}
        stands={now.position.hpa}
        selected={selected}
        onSelect={setSelected}
        onOpen={open}
      />
      <div class="bar" role="toolbar" aria-label={translate('The chosen instruction')}>
        {line && <LineActions line={line} />}
        <vscode-button secondary onClick={() => connection.act({ do: 'copy', text: `${answer.text}\n` })}>
          {translate('Copy as text')}
        </vscode-button>
      </div>
      <p class="ways">
        {waysOut(block).map(({ gva, place, hpa }) => (
          <span key={gva}>
            {translate('to')}{' '}
            <button class="link address" onClick={() => onGo(`gv:${gva}`)}>
              {place ?? `gv:${gva}`}
            </button>
            <small>
              {hpa === undefined
                ? translate('a stub: not translated yet')
                : translate('chained to {0}', `hp:0x${hpa.toString(16)}`)}
            </small>
          </span>
        ))}
      </p>
    </>
  );
}

/** Enter: to the source, or where that is unknown, to memory. */
const open = ({ gva, source }: Instruction): void =>
  connection.act(source ? { do: 'source', ...source } : { do: 'memory', reference: `gv:${gva}`, name: `gv:${gva}` });

function LineActions({ line: { gva, source, translated } }: { line: Instruction }) {
  const [made] = translated;
  const memory = (reference: string) => () => connection.act({ do: 'memory', reference, name: reference });
  return (
    <>
      <vscode-button secondary disabled={!source} onClick={() => source && connection.act({ do: 'source', ...source })}>
        {translate('Source')}
      </vscode-button>
      <vscode-button secondary onClick={() => connection.act({ do: 'disassembly' })}>
        {translate('Disassembly')}
      </vscode-button>
      <vscode-button secondary onClick={memory(`gv:${gva}`)}>
        {translate('Guest memory')}
      </vscode-button>
      {made && (
        <vscode-button secondary onClick={memory(`hp:0x${made.hpa.toString(16)}`)}>
          {translate("Translation's memory")}
        </vscode-button>
      )}
      <vscode-button secondary onClick={() => connection.act({ do: 'break', on: `gv:${gva}` })}>
        {translate('Break here')}
      </vscode-button>
    </>
  );
}

show(<Panel />);
