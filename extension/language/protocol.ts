/** What client and server say to each other beyond the Language Server Protocol. Types and names alone. */

/** From the server: the text of a file that no editor has open; null where there is none. */
export const READ_FILE = 'ringside/readFile';
export interface ReadFile {
  uri: string;
}

/** From the server: URIs of all assembly in the workspace. */
export const LIST_FILES = 'ringside/listFiles';

/** From the client: names of registers that stand in these lines, for inline values. */
export const REGISTERS_IN = 'ringside/registersIn';
export interface RegistersIn {
  uri: string;
  /** Counted from 0, both included. */
  fromLine: number;
  toLine: number;
}
export interface RegisterPlace {
  line: number;
  start: number;
  end: number;
  name: string;
}

/** From the client: the privileged and sensitive instructions of a document, by line from 0, for counts beside them. */
export const SENSITIVE_LINES = 'ringside/sensitiveLines';
export interface SensitiveLine {
  line: number;
  mnemonic: string;
  traps: boolean;
}

export interface InitializationOptions {
  roots: string[];
  includePaths: string[];
}
