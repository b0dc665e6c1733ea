/** ringside/translate, ringside/console, ringside/consoleInput. */
import { boolean, integer, object, oneOf, optional, string } from '../arguments';
import { translateAddress } from '../translation-text';
import { cpuOf, handler } from './handler';

export const translate = handler(
  object({
    address: string,
    access: optional(oneOf('read', 'write', 'execute')),
    user: optional(boolean),
    cpu: optional(integer(0)),
    frameId: optional(integer(0)),
  }),
  (session, { address, frameId, cpu, ...asked }) => {
    const target = session.target;
    const place = target.evaluator.addressIn(address, 'address', frameId);
    return translateAddress(target, place, { ...asked, cpu: cpuOf(target, cpu) });
  },
);

export const consoleRequest = handler(object({ attach: boolean }), (session, { attach }) => {
  const { console } = session.target;
  const text = console.text();
  console.attached = attach;
  return { attached: attach, text };
});

export const consoleInput = handler(object({ text: string }), (session, { text }) => ({
  bytes: session.target.type(text),
}));
