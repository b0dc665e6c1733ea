/** One address through the page tables: every entry on the way, where it ends or why it stops, and what accesses would do. */
import { useEffect, useState } from 'preact/hooks';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import '@vscode-elements/elements/dist/vscode-single-select/index.js';
import '@vscode-elements/elements/dist/vscode-option/index.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import type { TranslateBody } from '../../debug-adapter/protocol';
import type { Connection } from './connection';
import { BreakAtWrite, Place, Rights } from './entry';
import { useField, type Trail } from './field';
import { translate } from './l10n';
import { hex, size } from './page-table.model';
import {
  ACCESSES,
  chain,
  stages,
  targetOf,
  verdictText,
  WHO,
  type Reference,
  type Verdict,
  type View,
} from './walk.model';
import './walk.css';

type Access = View['access'];
/** The first: as the processor runs now. */
type Privilege = 'current mode' | 'supervisor' | 'user';
const PRIVILEGES: Record<Privilege, string> = {
  'current mode': translate('current mode'),
  ...WHO,
};

export function Walk(props: {
  connection: Connection;
  stop: number;
  trail: Trail;
  /** The walk now shown, for the trees beside it. */
  onWalked(view: View | undefined): void;
}) {
  const { connection, stop, trail, onWalked } = props;
  const { address } = trail;
  const [access, setAccess] = useState<Access>('read');
  const [privilege, setPrivilege] = useState<Privilege>('current mode');
  const [result, setResult] = useState<{ body?: TranslateBody; error?: string }>({});
  const { own, submit } = useField(address, trail.go);
  useEffect(() => connection.remember(address), [address]);
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
  return (
    <section class="walker" aria-label={translate('Walk of an address')}>
      <form onSubmit={submit}>
        <vscode-button secondary disabled={!trail.back} onClick={trail.back}>
          {translate('Back')}
        </vscode-button>
        <vscode-textfield
          label={translate('Address to walk')}
          placeholder="gv:0x1000, gp:0x1000, hp:0x1000, $rip, &name"
          {...own}
        />
        <vscode-button onClick={submit}>{translate('Walk')}</vscode-button>
        <Choice label={translate('Access')} value={access} options={ACCESSES} onChoose={setAccess} />
        <Choice label={translate('Privilege')} value={privilege} options={PRIVILEGES} onChoose={setPrivilege} />
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
  /** Each with its name. */
  options: Record<T, string>;
  onChoose(value: NoInfer<T>): void;
}) {
  return (
    <vscode-single-select
      label={props.label}
      title={props.label}
      value={props.value}
      onChange={(event: Event) => props.onChoose((event.target as HTMLSelectElement).value as T)}
    >
      {(Object.keys(props.options) as T[]).map((option) => (
        <vscode-option key={option} value={option} selected={option === props.value}>
          {props.options[option]}
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
        {translate('Copy as text')}
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
            {body.aliases.length === 0
              ? translate('Mapped nowhere in this address space')
              : body.moreAliases
                ? translate('Mapped at (the first of them)')
                : translate('Mapped at')}
          </caption>
          <tbody>
            {body.aliases.map(({ gva, pageBytes, write, user, execute }) => (
              <tr key={gva}>
                <td>gv:{gva}</td>
                <td>{size(pageBytes)}</td>
                <td>
                  {[write && translate('writable'), user && translate('user'), execute && translate('executable')]
                    .filter(Boolean)
                    .join(' · ')}
                </td>
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
        {pageBytes !== undefined && <small> {translate('{0} page', size(pageBytes))}</small>}
      </p>
      {fault && (
        <p class="result fault">
          {fault.tables === 'guest'
            ? translate('Page fault, error code {0}.', hex(fault.errorCode))
            : translate('Second-stage fault, error code {0}.', hex(fault.errorCode))}{' '}
          {fault.reason}
        </p>
      )}
      {shadow && (
        <p class={shadow.state === 'stale' || shadow.state === 'over-permissive' ? 'result fault' : 'result'}>
          {translate('Shadow: {0}', shadow.state)}
          {shadow.rule && `. ${shadow.rule}`}
        </p>
      )}
      <div class="parts">
        <References caption={`gv:${view.gva}`} references={view.references} connection={connection} />
        {shadow && (
          <References
            caption={translate('shadow, {0}', shadow.form)}
            references={shadow.references}
            connection={connection}
          />
        )}
        <Verdicts verdicts={view.verdicts} />
      </div>
    </>
  );
}

function References(props: { caption: string; references: Reference[]; connection: Connection }) {
  const grouped = stages(props.references);
  return (
    <div class="sideways">
      <table class="walk">
        <caption>{props.caption}</caption>
        <thead>
          <tr>
            <th scope="col">#</th>
            <th scope="col">{translate('Entry')}</th>
            <th scope="col">{translate('Lies at')}</th>
            <th scope="col">{translate('Value')}</th>
            <th scope="col">{translate('Bits')}</th>
            <th scope="col">{translate('Leads to')}</th>
            <th scope="col">
              <span class="hidden">{translate('Actions')}</span>
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
    </div>
  );
}

/** `inner`: what a second-stage entry helps to find. */
function Row(props: { of: Reference; connection: Connection; inner?: string }) {
  const { of, inner } = props;
  const bad = of.why !== undefined || of.mark !== undefined;
  return (
    <tr
      class={[bad ? 'fault' : '', inner ? 'inner' : ''].join(' ')}
      title={inner && translate('to find the {0}', inner)}
    >
      <td>{of.number}</td>
      <th scope="row">{of.name}</th>
      <td>
        <Place entry={of} connection={props.connection} />
      </td>
      <td>{hex(of.entry)}</td>
      <td>
        {/* The others mean nothing then. */}
        {of.present ? <Rights entry={of} /> : translate('not present')}
      </td>
      <td>
        {of.present && <span class="target">{targetOf(of)} </span>}
        {of.mark && <strong>{of.mark}</strong>}
        {(of.why ?? of.rule) && <div class="why">{of.why ?? of.rule}</div>}
      </td>
      <td>
        <BreakAtWrite entry={of} connection={props.connection} />
      </td>
    </tr>
  );
}

const VERDICT_CLASSES: Record<Verdict['outcome'], string> = { done: 'done', 'page-fault': 'fault', exit: '' };
const MARKS: Record<Verdict['outcome'], string> = { done: '✓', 'page-fault': '✗', exit: '⇥' };

function Verdicts({ verdicts }: { verdicts: Verdict[] }) {
  const accesses = ['read', 'write', 'execute'] as const;
  return (
    <div class="sideways judged">
      <table class="walk verdicts">
        <caption>{translate('What an access would do')}</caption>
        <thead>
          <tr>
            <td />
            {accesses.map((access) => (
              <th key={access} scope="col">
                {ACCESSES[access]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[false, true].map((user) => (
            <tr key={String(user)}>
              <th scope="row">{WHO[user ? 'user' : 'supervisor']}</th>
              {accesses.map((access) => {
                const verdict = verdicts.find((each) => each.access === access && each.user === user);
                if (!verdict) return <td key={access} />;
                const text = verdictText(verdict);
                return (
                  <td key={access} class={VERDICT_CLASSES[verdict.outcome]} title={text}>
                    <span aria-hidden="true">{MARKS[verdict.outcome]}</span> {text.slice(text.indexOf(': ') + 2)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
