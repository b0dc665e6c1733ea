/** Counts of a line in words. */
import { l10n } from 'vscode';

export interface LineCounts {
  exits: number;
  reasons: Readonly<Record<string, number>>;
  holes: number;
}

const number = (value: number): string => value.toLocaleString('en-US');
const byCount = (reasons: LineCounts['reasons']): [string, number][] =>
  Object.entries(reasons).sort(([, a], [, b]) => b - a);

/** Above the line. */
export function countText({ exits, reasons, holes }: LineCounts): string {
  const names = byCount(reasons).map(([reason]) => reason).join(', ');
  const parts: string[] = [];
  if (exits === 1) parts.push(l10n.t('trapped once in this run ({0})', names));
  if (exits > 1) parts.push(l10n.t('trapped {0} times in this run ({1})', number(exits), names));
  if (holes === 1) parts.push(l10n.t('fell through once without a trap'));
  if (holes > 1) parts.push(l10n.t('fell through {0} times without a trap', number(holes)));
  return parts.join('; ');
} // prettier-ignore

/** In a hover; undefined: nothing to say. */
export function lineText(counts: LineCounts | undefined, nature: { mnemonic: string } | undefined): string | undefined {
  if (counts === undefined) return nature && l10n.t('In this run {0} has not left the guest here.', nature.mnemonic);
  const reasons = byCount(counts.reasons).map(([reason, count]) => `- ${reason}: ${number(count)}`);
  return [l10n.t('Here, the guest {0}.', countText(counts)), ...(reasons.length > 1 ? reasons : [])].join('\n');
}
