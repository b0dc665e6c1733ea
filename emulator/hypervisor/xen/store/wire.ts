/** Messages of xenstore: a header of four words and a payload, mostly strings that end in zeros. io/xs_wire.h. */

export const XS = {
  CONTROL: 0, DIRECTORY: 1, READ: 2, GET_PERMS: 3, WATCH: 4, UNWATCH: 5, TRANSACTION_START: 6, TRANSACTION_END: 7, INTRODUCE: 8,
  RELEASE: 9, GET_DOMAIN_PATH: 10, WRITE: 11, MKDIR: 12, RM: 13, SET_PERMS: 14, WATCH_EVENT: 15, ERROR: 16,
  IS_DOMAIN_INTRODUCED: 17, RESUME: 18, SET_TARGET: 19, RESET_WATCHES: 21, DIRECTORY_PART: 22,
} as const; // prettier-ignore
export const HEADER_BYTES = 16;
export const PAYLOAD_MAX = 4096;

export interface Message {
  type: number;
  request: number;
  transaction: number;
  /** Bytes as characters below 256. */
  payload: string;
}

/** 'broken': no message can have this header; undefined: not all of it is here yet. */
export function parseMessage(bytes: Uint8Array): { message: Message; bytes: number } | 'broken' | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = view.getUint32(12, true);
  if (length > PAYLOAD_MAX) return 'broken';
  if (bytes.length < HEADER_BYTES + length) return undefined;
  const payload = textOf(bytes.subarray(HEADER_BYTES, HEADER_BYTES + length));
  const message = { type: view.getUint32(0, true), request: view.getUint32(4, true), transaction: view.getUint32(8, true), payload }; // prettier-ignore
  return { message, bytes: HEADER_BYTES + length };
}

export function encodeMessage({ type, request, transaction, payload }: Message): Uint8Array {
  const out = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(out.buffer);
  [type, request, transaction, payload.length].forEach((word, i) => view.setUint32(4 * i, word, true));
  for (let i = 0; i < payload.length; i++) out[HEADER_BYTES + i] = payload.charCodeAt(i);
  return out;
}

export function textOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
