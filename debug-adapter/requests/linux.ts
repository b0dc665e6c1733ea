/** ringside/linux: the guest's Linux kernel, its tasks and modules. */
import { maybeObject, oneOf, optional } from '../arguments';
import { toJson } from '../json';
import { loadedModules } from '../linux/modules';
import { messages } from '../linux/printk';
import type { LinuxGuest } from '../linux/guest';
import type { CustomRequests } from '../protocol';
import { handler } from './handler';

const MOST_MESSAGES = 20_000;

/** `found` is false for another system, and for a kernel that has not come that far. */
export const linux = handler(
  maybeObject({ what: optional(oneOf('all', 'kernel', 'tasks', 'modules', 'messages')) }),
  async (session, { what = 'all' }) => body(session.stopped.linux, what),
);

async function body(guest: LinuxGuest, what: string): Promise<CustomRequests['ringside/linux']['body']> {
  const kernel = await guest.ensure();
  if (kernel === undefined) return { found: false };
  const wants = (part: string): boolean => what === 'all' || what === part;
  const { banner, commandLine, range, slide, tasks } = kernel;
  return toJson({
    found: true as const,
    kernel: { banner, commandLine, ...range, ...(slide === undefined ? {} : { slide }) },
    ...(wants('tasks') && { tasks: [...tasks.all()] }),
    ...(wants('modules') && { modules: loadedModules(kernel) ?? [] }),
    ...(what === 'messages' && { messages: messages(kernel, MOST_MESSAGES) ?? [] }),
  });
}
