import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The end of the messages about own code that clients get. */
const FOR_CLIENTS = /; the log of the server says why\.$/;

/** Whether a message leaves out the reason, because clients must not see it. */
export function hidesReason(message: unknown): boolean {
  return typeof message === 'string' && FOR_CLIENTS.test(message);
}

/**
 * The messages of an error and of its causes, each once. What own code has thrown comes with its place there.
 *
 * @param error an error, or what the log has kept of one
 */
export function reasonsOf(error: unknown, isOwn = false): readonly string[] {
  if (typeof error === 'string') return [error];
  if (typeof error !== 'object' || error === null) return [];
  const message: unknown = Reflect.get(error, 'message');
  const inner = reasonsOf(Reflect.get(error, 'cause'), isOwn || hidesReason(message));
  if (typeof message !== 'string' || message === '') return inner;
  if (inner.length > 0)
    return [message.replace(FOR_CLIENTS, ''), ...inner.filter((reason) => !message.includes(reason))];
  const place = isOwn ? placeOf(Reflect.get(error, 'stack')) : undefined;
  return [place === undefined ? message : `${message} (${place})`];
}

/** A file with a line and a column at the end of a line of a stack. */
const PLACE = /((?:file:\/\/)?\/[^\n()]*|[A-Za-z]:\\[^\n()]*):(\d+):(\d+)\)?$/gm;

/** The first place in a source of the working folder. */
function placeOf(stack: unknown): string | undefined {
  if (typeof stack !== 'string') return undefined;
  for (const [, file = '', line, column] of stack.matchAll(PLACE)) {
    const path = relative('.', file.startsWith('file:') ? fileURLToPath(file) : file);
    const isElsewhere = /^\.\.|^[A-Za-z]:|(?:^|[\\/])node_modules[\\/]|^dist[\\/]/.test(path);
    if (!isElsewhere) return `${path}:${line}:${column}`;
  }
  return undefined;
}
