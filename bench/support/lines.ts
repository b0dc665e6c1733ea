/** The clocks of this process, read at each line of its guest's console. */
export interface LineMark {
  line: string;
  /** User and system time of this process, all threads, s. */
  cpu: number;
  /** s since the process began. */
  wall: number;
  instructions: number;
}

/** `heard`: of each line as it ends, and the how-manieth it is. */
export function clocksAtLines(
  instructions: () => number,
  heard: (mark: LineMark, count: number) => void,
): { lines: LineMark[]; take(byte: number): void } {
  const lines: LineMark[] = [];
  let line = '';
  return {
    lines,
    take(byte) {
      if (byte !== 10) line += byte === 13 ? '' : String.fromCharCode(byte);
      else {
        const { user, system } = process.cpuUsage();
        const mark = { line, cpu: (user + system) / 1e6, wall: process.uptime(), instructions: instructions() };
        line = '';
        heard(mark, lines.push(mark));
      }
    },
  };
}
