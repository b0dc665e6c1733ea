/** What client and server say to each other beyond the Language Server Protocol. Types and names alone. */

/** From the server: the text of a file that no editor has open; null where there is none. */
export const READ_FILE = 'ringside/readFile';
export interface ReadFile {
  uri: string;
}

/** From the server: URIs of all assembly in the workspace; one more than MAX_FILES where there are more. */
export const LIST_FILES = 'ringside/listFiles';
/** A workspace may be a kernel's whole tree: so many files are read for their global names. */
export const MAX_FILES = 5000;

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
