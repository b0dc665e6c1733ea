/** Exits by reason, by guest function, and silent holes: counted, each row a way into the list. */
import { colour, MAX_LINES } from './exit-chart';
import { count, percent, reasons, type Exits } from './exits.model';
import { translate } from './l10n';

export function ReasonTable(props: { exits: Exits; onFilter(filter: string): void; onBreak(filter: string): void }) {
  const all = reasons(props.exits);
  const measured = all.some(({ milliseconds }) => milliseconds !== undefined);
  return (
    <table class="counts">
      <caption>
        {translate('{0} exits in {1} instructions', count(props.exits.total), count(props.exits.instructions))}
      </caption>
      <thead>
        <tr>
          <th scope="col">{translate('Reason')}</th>
          <th scope="col">{translate('Exits')}</th>
          <th scope="col">{translate('Share')}</th>
          <th scope="col">{translate('Per million')}</th>
          {measured && <th scope="col">{translate('Cost, ms')}</th>}
          <th scope="col">
            <span class="hidden">{translate('Break')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {all.map(({ reason, count: exits, share, perMillion, milliseconds }, index) => (
          <tr key={reason}>
            <th scope="row">
              <span class="key" style={{ background: colour(Math.min(index, MAX_LINES)) }} aria-hidden="true" />
              <button
                class="link"
                title={translate('Only these in the list')}
                onClick={() => props.onFilter(condition(reason))}
              >
                {reason}
              </button>
            </th>
            <td>{count(exits)}</td>
            <td>{percent(share)}</td>
            <td>{count(perMillion)}</td>
            {measured && <td>{milliseconds === undefined ? '' : count(milliseconds)}</td>}
            <td>
              <button class="link" title={translate('Stop at these')} onClick={() => props.onBreak(condition(reason))}>
                {translate('break')}
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
      <caption>
        {functions.of === 'kept' ? translate('By guest function, of the exits that are kept') : translate('By guest function')}
      </caption>
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
      <caption>{translate('Silent holes: sensitive instructions that did not trap')}</caption>
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
