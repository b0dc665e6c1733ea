/** Exits by reason, by guest function, and silent holes: counted, each row a way into the list. */
import { colour, MAX_LINES } from './exit-chart';
import { count, percent, reasons, type Exits } from './exits.model';

export function ReasonTable(props: { exits: Exits; onFilter(filter: string): void; onBreak(filter: string): void }) {
  const all = reasons(props.exits);
  const measured = all.some(({ milliseconds }) => milliseconds !== undefined);
  return (
    <table class="counts">
      <caption>
        {count(props.exits.total)} exits in {count(props.exits.instructions)} instructions
      </caption>
      <thead>
        <tr>
          <th scope="col">Reason</th>
          <th scope="col">Exits</th>
          <th scope="col">Share</th>
          <th scope="col">Per million</th>
          {measured && <th scope="col">Cost, ms</th>}
          <th scope="col">
            <span class="hidden">Break</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {all.map(({ reason, count: exits, share, perMillion, milliseconds }, index) => (
          <tr key={reason}>
            <th scope="row">
              <span class="key" style={{ background: colour(Math.min(index, MAX_LINES)) }} aria-hidden="true" />
              <button class="link" title="Only these in the list" onClick={() => props.onFilter(condition(reason))}>
                {reason}
              </button>
            </th>
            <td>{count(exits)}</td>
            <td>{percent(share)}</td>
            <td>{count(perMillion)}</td>
            {measured && <td>{milliseconds === undefined ? '' : count(milliseconds)}</td>}
            <td>
              <button class="link" title="Stop at these" onClick={() => props.onBreak(condition(reason))}>
                break
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
const condition = (reason: string): string => `exit.reason == ${JSON.stringify(reason)}`;

export function FunctionTable({ functions }: { functions: NonNullable<Exits['functions']> }) {
  return (
    <table class="counts">
      <caption>By guest function{functions.of === 'kept' && ', of the exits that are kept'}</caption>
      <tbody>
        {functions.list.map((row) => (
          <tr key={row.gva} title={Object.entries(row.reasons).map(([name, n]) => `${name} ${count(n)}`).join(', ')}>
            <th scope="row">{row.name}</th>
            <td>{count(row.count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  ); // prettier-ignore
}

export function HoleTable({ holes }: { holes: Exits['holes'] }) {
  return (
    <table class="counts holes">
      <caption>Silent holes: sensitive instructions that did not trap</caption>
      <tbody>
        {holes.map((hole) => (
          <tr key={`${hole.mnemonic} ${hole.gva}`}>
            <th scope="row">{hole.mnemonic}</th>
            <td>{hole.place ?? hole.gva}</td>
            <td>{count(hole.count)}×</td>
            <td>{hole.difference}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
