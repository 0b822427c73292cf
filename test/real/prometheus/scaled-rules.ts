import { readFileSync } from 'node:fs';
import { ALERTS_FILE } from '../../../infra/build/monitoring/monitoring-files.ts';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** A time of a rule: a range, an offset, or how long it waits. The names and labels of rules have others. */
const TIMES = /(\[|offset |for: )(\d+)([smhd])\b/g;

/** The seconds of a window, by which a rate becomes a count. */
const COUNTS = / \* (\d+) >= /g;

/**
 * The rules of Prometheus on a faster clock: the same expressions, with each time divided.
 *
 * @throws Error if a time would be a fraction of a second
 */
export function scaleRules(divisor: number): string {
  const divide = (seconds: number) => {
    if (seconds % divisor !== 0) throw new Error(`${seconds} s cannot be divided by ${divisor}`);
    return seconds / divisor;
  };
  const isUnit = (unit: string): unit is keyof typeof SECONDS => unit in SECONDS;
  return readFileSync(ALERTS_FILE, 'utf8')
    .replaceAll(TIMES, (_, before: string, count: string, unit: string) => {
      return `${before}${divide(Number(count) * (isUnit(unit) ? SECONDS[unit] : 0))}s`;
    })
    .replaceAll(COUNTS, (_, seconds: string) => ` * ${divide(Number(seconds))} >= `);
}
