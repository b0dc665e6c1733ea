/** Counts of a line in words. */
export interface LineCounts {
  exits: number;
  reasons: Readonly<Record<string, number>>;
  holes: number;
}

const number = (value: number): string => value.toLocaleString('en-US');
const times = (value: number): string => (value === 1 ? 'once' : `${number(value)} times`);

/** Above the line. */
export function countText({ exits, reasons, holes }: LineCounts): string {
  const parts: string[] = [];
  if (exits > 0) {
    const names = Object.entries(reasons).sort(([, a], [, b]) => b - a).map(([reason]) => reason); // prettier-ignore
    parts.push(`trapped ${times(exits)} in this run (${names.join(', ')})`);
  }
  if (holes > 0) parts.push(`fell through ${times(holes)} without a trap`);
  return parts.join('; ');
}

/** In a hover; undefined: nothing to say. */
export function lineText(counts: LineCounts | undefined, nature: { mnemonic: string; traps: boolean } | undefined): string | undefined {
  if (counts === undefined) return nature && `In this run ${nature.mnemonic} has not left the guest here.`;
  const reasons = Object.entries(counts.reasons).sort(([, a], [, b]) => b - a).map(([reason, count]) => `- ${reason}: ${number(count)}`);
  return [`In this run: ${countText(counts)}.`, ...(reasons.length > 1 ? reasons : [])].join('\n');
} // prettier-ignore
