import type { LogFields } from '../shared/monitoring/logger.ts';
import { describeRecord } from './describe-record.ts';
import { printableLine } from './printable.ts';

/** Codes of ECMA-48, section 8.3.117. */
const COLOURS = { dim: 2, red: 31, green: 32, yellow: 33 } as const;
type Colour = keyof typeof COLOURS;

/**
 * Makes short lines of the log for people: of a request its time, status, method, path, model and duration, and of all
 * else a sentence.
 */
export function createPrettyLine(hasColours: boolean): (record: LogFields) => string {
  const paint = (text: string, colour: Colour) =>
    hasColours ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text;

  return (record) => {
    const { time, level, message } = record;
    const at = paint(String(time).slice(11, 23), 'dim');
    if (message !== 'request') {
      const colour = level === 'error' ? 'red' : level === 'warn' ? 'yellow' : 'dim';
      return `${at} ${paint(describeRecord(record), colour)}`;
    }
    const { status, method, path, model, model_version: version, batch_size: size } = record;
    const parts = [
      at,
      paint(String(status), colourOf(Number(status))),
      printableLine(`${method} ${path}`),
      model === undefined ? '' : `${model}/${version}`,
      typeof size === 'number' && size > 1 ? `${size} instances` : '',
      paint(`${record.duration_ms} ms`, 'dim'),
      record.cold_start === true ? paint('cold start', 'yellow') : '',
      record.error_code === undefined ? '' : paint(String(record.error_code), colourOf(Number(status))),
    ];
    return parts.filter((part) => part !== '').join(' ');
  };
}

function colourOf(status: number): Colour {
  if (status >= 500) return 'red';
  return status >= 400 ? 'yellow' : 'green';
}
