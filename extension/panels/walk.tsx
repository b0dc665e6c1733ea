/** One address through the page tables: every entry on the way, and where it ends or why it stops. */
import { useEffect, useRef, useState } from 'preact/hooks';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import '@vscode-elements/elements/dist/vscode-single-select/index.js';
import '@vscode-elements/elements/dist/vscode-option/index.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import type { CustomRequests } from '../../debug-adapter/protocol';
import type { Connection } from './connection';
import { hex, meanings, size } from './page-table.model';

type Translation = NonNullable<CustomRequests['ringside/translate']['body']['translation']>;
type Access = Translation['access'];
/** The first: as the processor runs now. */
type Privilege = 'current mode' | 'supervisor' | 'user';

export function Walk({ connection, stop, given }: { connection: Connection; stop: number; given: string }) {
  const [address, setAddress] = useState('');
  // The field keeps its own text: Enter may come before what was typed has been rendered.
  const field = useRef<HTMLInputElement>(null);
  const [access, setAccess] = useState<Access>('read');
  const [privilege, setPrivilege] = useState<Privilege>('current mode');
  const [result, setResult] = useState<{ translation?: Translation; error?: string }>({});
  useEffect(() => {
    if (given === '') return;
    if (field.current) field.current.value = given;
    setAddress(given);
  }, [given]);
  useEffect(() => {
    if (address === '') return setResult({});
    let current = true;
    const user = privilege === 'current mode' ? {} : { user: privilege === 'user' };
    connection.request('ringside/translate', { address, access, ...user }).then(
      ({ translation }) => current && setResult({ translation }),
      (error: Error) => current && setResult({ error: error.message }),
    );
    return () => {
      current = false;
    };
  }, [connection, stop, address, access, privilege]);
  const submit = (event: Event): void => {
    event.preventDefault();
    setAddress(field.current?.value.trim() ?? '');
  };
  return (
    <section aria-label="Walk of an address">
      <form onSubmit={submit}>
        <vscode-textfield
          label="Address to walk"
          placeholder="gv:0x1000, $rip, &name"
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
        {result.translation && <Steps translation={result.translation} />}
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

function Steps({ translation }: { translation: Translation }) {
  const { steps, gpa, pageBytes, fault } = translation;
  return (
    <>
      <table class="walk">
        <caption>gv:{hex(translation.gva)}</caption>
        <thead>
          <tr>
            <th scope="col">Entry</th>
            <th scope="col">Lies at</th>
            <th scope="col">Value</th>
            <th scope="col">Bits</th>
          </tr>
        </thead>
        <tbody>
          {steps.map((step, index) => (
            <tr key={step.level} class={fault && index === steps.length - 1 ? 'fault' : ''}>
              <th scope="row">{step.name}</th>
              <td>gp:{hex(step.gpa)}</td>
              <td>{hex(step.entry)}</td>
              <td>
                {step.present ? meanings(step, ' · ') : 'not present'}
                {step.leaf && step.present && pageBytes !== undefined && ` · maps ${size(pageBytes)}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {fault ? (
        <p class="result fault">
          Page fault, error code {hex(fault.errorCode)}. {fault.reason}
        </p>
      ) : (
        <p class="result">
          → gp:{hex(gpa ?? 0)}
          {steps.length === 0 && ' (paging is off)'}
        </p>
      )}
    </>
  ); // prettier-ignore
}
