/** One address through the page tables: every entry on the way, where it ends or why it stops, and what accesses would do. */
import { useEffect, useRef, useState } from 'preact/hooks';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import '@vscode-elements/elements/dist/vscode-single-select/index.js';
import '@vscode-elements/elements/dist/vscode-option/index.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import type { TranslateBody } from '../../debug-adapter/protocol';
import type { Connection } from './connection';
import { EntryActions, Rights } from './entry';
import { hex, size } from './page-table.model';
import { chain, placeOf, stages, targetOf, verdictText, type Reference, type Verdict, type View } from './walk.model';

type Access = View['access'];
/** The first: as the processor runs now. */
type Privilege = 'current mode' | 'supervisor' | 'user';

export function Walk(props: {
  connection: Connection;
  stop: number;
  given: string;
  /** The walk now shown, for the trees beside it. */
  onWalked(view: View | undefined): void;
}) {
  const { connection, stop, given, onWalked } = props;
  const [address, setAddress] = useState(connection.remembered);
  // The field keeps its own text: Enter may come before what was typed has been rendered.
  const field = useRef<HTMLInputElement>(null);
  const [access, setAccess] = useState<Access>('read');
  const [privilege, setPrivilege] = useState<Privilege>('current mode');
  const [result, setResult] = useState<{ body?: TranslateBody; error?: string }>({});
  useEffect(() => {
    if (given !== '') setAddress(given);
  }, [given]);
  useEffect(() => {
    if (field.current) field.current.value = address;
    connection.remember(address);
  }, [address]);
  useEffect(() => {
    if (address === '') return setResult({});
    let current = true;
    const user = privilege === 'current mode' ? {} : { user: privilege === 'user' };
    connection.request('ringside/translate', { address, access, ...user }).then(
      (body) => current && setResult({ body }),
      (error: Error) => current && setResult({ error: error.message }),
    );
    return () => {
      current = false;
    };
  }, [connection, stop, address, access, privilege]);
  useEffect(() => onWalked(result.body?.view), [result]);
  const submit = (event: Event): void => {
    event.preventDefault();
    setAddress(field.current?.value.trim() ?? '');
  };
  return (
    <section class="walker" aria-label="Walk of an address">
      <form onSubmit={submit}>
        <vscode-textfield
          label="Address to walk"
          placeholder="gv:0x1000, gp:0x1000, hp:0x1000, $rip, &name"
          ref={field}
          onKeyDown={(event: KeyboardEvent) => event.key === 'Enter' && submit(event)}
        />
        <Choice label="Access" value={access} options={['read', 'write', 'execute']} onChoose={setAccess} />
        <Choice
          label="Privilege"
          value={privilege}
          options={['current mode', 'supervisor', 'user']}
          onChoose={setPrivilege}
        />
        <vscode-button onClick={submit}>Walk</vscode-button>
      </form>
      <div aria-live="polite">
        {result.error !== undefined && <p role="alert">{result.error}</p>}
        {result.body && <Found body={result.body} connection={connection} />}
      </div>
    </section>
  );
}

function Choice<T extends string>(props: {
  label: string;
  value: T;
  options: readonly T[];
  onChoose(value: NoInfer<T>): void;
}) {
  return (
    <vscode-single-select
      label={props.label}
      title={props.label}
      value={props.value}
      onChange={(event: Event) => props.onChoose((event.target as HTMLSelectElement).value as T)}
    >
      {props.options.map((option) => (
        <vscode-option key={option} value={option} selected={option === props.value}>
          {option}
        </vscode-option>
      ))}
    </vscode-single-select>
  );
}

function Found({ body, connection }: { body: TranslateBody; connection: Connection }) {
  const copy = (): void => connection.act({ do: 'copy', text: `${body.text}\n` });
  return (
    <>
      {body.view ? <Steps view={body.view} connection={connection} /> : <Backwards body={body} />}
      <vscode-button secondary onClick={copy}>
        Copy as text
      </vscode-button>
    </>
  );
}

/** `gp:` and `hp:`: who is there, and who maps it. */
function Backwards({ body }: { body: TranslateBody }) {
  return (
    <>
      <p class="result">{body.text.split('\n')[0]}</p>
      {body.aliases && (
        <table class="walk">
          <caption>
            Mapped at{body.moreAliases && ' (the first of them)'}
            {body.aliases.length === 0 && ': nowhere in this address space'}
          </caption>
          <tbody>
            {body.aliases.map(({ gva, pageBytes, write, user, execute }) => (
              <tr key={gva}>
                <td>gv:{gva}</td>
                <td>{size(pageBytes)}</td>
                <td>{[write && 'writable', user && 'user', execute && 'executable'].filter(Boolean).join(' · ')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function Steps({ view, connection }: { view: View; connection: Connection }) {
  const { fault, shadow, pageBytes } = view;
  return (
    <>
      <p class="chain">
        {chain(view).map(({ space, address }, index) => (
          <span key={space} class={address === undefined ? 'dim' : ''}>
            {index > 0 && ' → '}
            {space}:{address ?? '?'}
          </span>
        ))}
        {pageBytes !== undefined && <small> {size(pageBytes)} page</small>}
      </p>
      {fault && (
        <p class="result fault">
          {fault.tables === 'guest' ? 'Page fault' : 'Second-stage fault'}, error code {hex(fault.errorCode)}.{' '}
          {fault.reason}
        </p>
      )}
      <References caption={`gv:${view.gva}`} references={view.references} connection={connection} />
      {shadow && (
        <>
          <p class={shadow.state === 'stale' || shadow.state === 'over-permissive' ? 'result fault' : 'result'}>
            Shadow: {shadow.state}
            {shadow.rule && `. ${shadow.rule}`}
          </p>
          <References caption={`shadow, ${shadow.form}`} references={shadow.references} connection={connection} />
        </>
      )}
      <Verdicts verdicts={view.verdicts} />
    </>
  );
}

function References(props: { caption: string; references: Reference[]; connection: Connection }) {
  const grouped = stages(props.references);
  return (
    <table class="walk">
      <caption>{props.caption}</caption>
      <thead>
        <tr>
          <th scope="col">#</th>
          <th scope="col">Entry</th>
          <th scope="col">Lies at</th>
          <th scope="col">Value</th>
          <th scope="col">Bits</th>
          <th scope="col">
            <span class="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {grouped.flatMap(({ name, nested, entry }) => [
          ...nested.map((each) => <Row key={each.number} of={each} connection={props.connection} inner={name} />),
          entry && <Row key={entry.number} of={entry} connection={props.connection} />,
        ])}
      </tbody>
    </table>
  );
}

/** `inner`: what a second-stage entry helps to find. */
function Row({ of, connection, inner }: { of: Reference; connection: Connection; inner?: string }) {
  const bad = of.why !== undefined || of.mark !== undefined;
  return (
    <tr class={[bad ? 'fault' : '', inner ? 'inner' : ''].join(' ')} title={inner && `to find the ${inner}`}>
      <td>{of.number}</td>
      <th scope="row">{of.name}</th>
      <td>{placeOf(of) ?? 'register'}</td>
      <td>{hex(of.entry)}</td>
      <td>
        <Rights entry={of} /> {of.present && `→ ${targetOf(of)}`}
        {of.mark && <strong> {of.mark}</strong>}
        {(of.why ?? of.rule) && <div>{of.why ?? of.rule}</div>}
      </td>
      <td>
        <EntryActions entry={of} connection={connection} />
      </td>
    </tr>
  );
}

const MARKS: Record<Verdict['outcome'], string> = { done: '✓', 'page-fault': '✗', exit: '⇥' };

function Verdicts({ verdicts }: { verdicts: Verdict[] }) {
  const accesses = ['read', 'write', 'execute'] as const;
  return (
    <table class="walk verdicts">
      <caption>What an access would do</caption>
      <thead>
        <tr>
          <td />
          {accesses.map((access) => (
            <th key={access} scope="col">
              {access}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {[false, true].map((user) => (
          <tr key={String(user)}>
            <th scope="row">{user ? 'user' : 'supervisor'}</th>
            {accesses.map((access) => {
              const verdict = verdicts.find((each) => each.access === access && each.user === user);
              if (!verdict) return <td key={access} />;
              const text = verdictText(verdict);
              return (
                <td key={access} class={verdict.outcome === 'page-fault' ? 'fault' : ''} title={text}>
                  <span aria-hidden="true">{MARKS[verdict.outcome]}</span> {text.slice(text.indexOf(': ') + 2)}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
