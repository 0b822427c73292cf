import type { LogFields } from '../shared/monitoring/logger.ts';
import { reasonsOf } from './own-code-reason.ts';
import { printable } from './printable.ts';

/** A log record as a sentence for a terminal: what happened, to what, and why. Only the log has stack traces. */
export function describeRecord({ level, message, time: _time, error, ...fields }: LogFields): string {
  const facts = Object.entries(fields)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .map(([name, value]) => `${name} ${value}`);
  const what = facts.length > 0 ? `${message} (${facts.join(', ')})` : String(message);
  const reasons = reasonsOf(error);
  return printable(`${level === 'warn' ? 'warning' : level}: ${[what, ...reasons].join(': ')}`);
}
