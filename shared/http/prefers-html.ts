import type { Context } from 'hono';
import { accepts } from 'hono/accepts';

/** A part of an Accept header, with its weight from 0 to 1. */
interface Range {
  readonly type: string;
  readonly q: number;
}

const HTML = 'text/html';
const JSON_TYPE = 'application/json';

/**
 * Whether a client asks for a page rather than JSON, as browsers do. JSON is the default: a client that weighs both
 * alike, or takes anything, gets it (RFC 9110, section 12.5.1).
 */
export function prefersHtml(c: Context): boolean {
  const chosen = accepts(c, {
    header: 'Accept',
    supports: [JSON_TYPE, HTML],
    default: JSON_TYPE,
    match: (ranges) => {
      const html = weigh(ranges, HTML);
      const json = weigh(ranges, JSON_TYPE);
      const isNamed = html.weight > 0 && html.precision > 1;
      const isCloser = html.weight === json.weight && html.precision > json.precision;
      return isNamed && (html.weight > json.weight || isCloser) ? HTML : JSON_TYPE;
    },
  });
  return chosen === HTML;
}

/** The weight of the most precise range that takes a type: the type itself before `text/*` before the rest. */
function weigh(ranges: readonly Range[], type: string): { weight: number; precision: number } {
  const patterns = ['*/*', type.replace(/\/.*/, '/*'), type];
  for (let precision = patterns.length; precision > 0; precision--) {
    const range = ranges.find((candidate) => candidate.type.toLowerCase() === patterns[precision - 1]);
    if (range) return { weight: range.q, precision };
  }
  return { weight: 0, precision: 0 };
}
