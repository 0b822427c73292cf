import type { Context } from 'hono';
import { type Preference, parseQualityList } from './quality-list.ts';

const HTML = 'text/html';
const JSON_TYPE = 'application/json';

/**
 * Whether a client asks for a page rather than JSON, as browsers do. JSON is the default: a client that weighs both
 * alike, or takes anything, gets it (RFC 9110, section 12.5.1).
 */
export function prefersHtml(c: Context): boolean {
  const ranges = parseQualityList(c.req.header('accept'));
  const html = weigh(ranges, HTML);
  const json = weigh(ranges, JSON_TYPE);
  const isNamed = html.weight > 0 && html.precision > 1;
  const isCloser = html.weight === json.weight && html.precision > json.precision;
  return isNamed && (html.weight > json.weight || isCloser);
}

/** The weight of the most precise range that takes a type: the type itself before `text/*` before the rest. */
function weigh(ranges: readonly Preference[], type: string): { weight: number; precision: number } {
  const patterns = ['*/*', type.replace(/\/.*/, '/*'), type];
  for (let precision = patterns.length; precision > 0; precision--) {
    const range = ranges.find(({ value }) => value === patterns[precision - 1]);
    if (range) return { weight: range.weight, precision };
  }
  return { weight: 0, precision: 0 };
}
