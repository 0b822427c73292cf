import { describeRecord } from './describe-record.ts';
import type { PeopleLog } from './host.ts';
import { createPrettyLine } from './pretty-record.ts';

/** What `--log` can be. */
const FORMATS = ['json', 'pretty'] as const;

/**
 * How a server writes its log: without `--log` only failures, as sentences; with it each request and each load of a
 * model, as JSON or as short lines for people. `--log` alone means lines for people in a terminal, and JSON elsewhere.
 *
 * @param log the value of `--log`; `true` or '' without one
 * @returns undefined for JSON
 * @throws RangeError for another value; the message says what is expected
 */
export function chooseLog(log: string | boolean | undefined): PeopleLog | undefined {
  if (log === undefined || log === false) return { describe: describeRecord, isQuiet: true };
  const { isTTY } = process.stdout;
  const format = log === true || log === '' ? (isTTY ? 'pretty' : 'json') : log;
  if (format === 'json') return undefined;
  if (format !== 'pretty') {
    throw new RangeError(`--log is ${JSON.stringify(format)}; expected ${FORMATS.join(' or ')}.`);
  }
  // Terminals say how many colours they have; NO_COLOR and FORCE_COLOR count too.
  return { describe: createPrettyLine(isTTY && process.stdout.hasColors()), isQuiet: false };
}
