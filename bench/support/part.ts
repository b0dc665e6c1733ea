/** A part of the bench: what `npm run bench NAME` runs, and a table of bench/README.md. */
export interface BenchContext {
  rounds: number;
  /** Which of our tiers to measure: those that exist. */
  tiers: readonly ('interpreter' | 'compiler')[];
  /** Progress, for whoever waits. */
  log(text: string): void;
}

export interface Part {
  readonly name: string;
  /** Markdown for the place between the part's markers. */
  run(context: BenchContext): Promise<string>;
}
