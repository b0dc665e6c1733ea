/** ringside/screen, ringside/keys: what the guest's display shows, and its keyboard. */
import { array, boolean, maybeObject, object, optional, string } from '../arguments';
import { encodeBase64 } from '../base64';
import type { CustomRequests } from '../protocol';
import { handler } from './handler';

/** More than a keyboard's buffer holds is dropped by it. */
const MOST_TEXT = 4096;

const NO_DISPLAY =
  'A paravirtual guest has no display of its own: it writes to its console, which is the serial terminal.';

export const screen = handler(maybeObject({}), (session): CustomRequests['ringside/screen']['body'] => {
  const { machine } = session.target;
  const { attributes, ...rest } = machine.screen();
  const blank = rest.text.every((line) => line.trim() === '');
  const note = blank && machine.virtualization?.technique === 'paravirtual' ? { note: NO_DISPLAY } : {};
  return { ...rest, attributes: encodeBase64(attributes), ...note };
});

const ARGUMENTS = { text: optional(string), keys: optional(array(object({ code: string, down: boolean }))) };

export const keys = handler(maybeObject(ARGUMENTS), (session, { text = '', keys: pressed = [] }) => {
  const { machine, runner } = session.target;
  machine.typeKeyboard(text.slice(0, MOST_TEXT));
  const unknown = pressed.filter(({ code, down }) => !machine.key(code, down)).map(({ code }) => code);
  runner.wake();
  return { unknown };
});
