/** What somebody meant who mistyped a name. */

/** Insertions, deletions, replacements, and neighbours swapped, that make one of the other. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2]![j - 2]! + 1 : Infinity;
      rows[i]![j] = Math.min(changed, swapped, rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1);
    }
  }
  return rows[a.length]![b.length]!;
} // prettier-ignore

/** The name that is nearest: a slip or two of the finger away, a beginning, or a plural. */
export function nearest(text: string, names: readonly string[]): string | undefined {
  const wanted = text.toLowerCase();
  const far = (name: string): number => {
    const other = name.toLowerCase();
    const begins = Math.min(wanted.length, other.length) > 3 && (other.startsWith(wanted) || wanted.startsWith(other));
    return begins ? 1 : distance(wanted, other);
  };
  const [best] = names.map((name) => ({ name, far: far(name) })).sort((a, b) => a.far - b.far);
  return best && best.far <= Math.max(1, Math.floor(text.length / 3)) && best.far < text.length ? best.name : undefined;
}
