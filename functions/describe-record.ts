import type { LogFields } from '../shared/monitoring/logger.ts';

/** A log record as a sentence for a terminal: what happened, to what, and why. Only the log has stack traces. */
export function describeRecord({ level, message, time: _time, error, ...fields }: LogFields): string {
  const facts = Object.entries(fields)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .map(([name, value]) => `${name} ${value}`);
  const what = facts.length > 0 ? `${message} (${facts.join(', ')})` : String(message);
  const reasons = reasonsOf(error);
  return `${level === 'warn' ? 'warning' : level}: ${[what, ...reasons].join(': ')}`;
}

/** The messages of an error and its causes, each once. */
function reasonsOf(error: unknown): readonly string[] {
  if (typeof error === 'string') return [error];
  if (typeof error !== 'object' || error === null) return [];
  const message: unknown = Reflect.get(error, 'message');
  const inner = reasonsOf(Reflect.get(error, 'cause'));
  if (typeof message !== 'string' || message === '') return inner;
  return [message, ...inner.filter((reason) => !message.includes(reason))];
}
