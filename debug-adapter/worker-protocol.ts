/** Messages between an extension in a browser and the debug adapter in its worker. A worker has no files: it asks. */

export type ToWorker =
  | { kind: 'dap'; message: unknown }
  /** The answer to the question with this id; `error` is for the user. */
  | { kind: 'file'; id: number; bytes: Uint8Array }
  | { kind: 'exists'; id: number; exists: boolean }
  | { kind: 'error'; id: number; error: string };

export type FromWorker = { kind: 'dap'; message: unknown } | { kind: 'read' | 'exists'; id: number; path: string };
