import * as z from 'zod/mini';
import { invalid } from '../errors.ts';

/** Parameters of lists that come in pages, as TorchServe and SageMaker have them. */
export const pageQuery = {
  limit: z
    .optional(z.string())
    .register(z.globalRegistry, { description: 'Most models in the answer; all if it is missing.' }),
  next_page_token: z
    .optional(z.string())
    .register(z.globalRegistry, { description: 'The `nextPageToken` of the previous page.' }),
};

/**
 * One page of a list. The token is the index of the next item.
 *
 * @param names of the parameters that say how many items are wanted, and where the page begins
 * @throws InferenceError when a parameter is not a whole number
 */
export function takePage<T>(
  items: readonly T[],
  query: Readonly<Record<string, string>>,
  names = { limit: 'limit', token: 'next_page_token' },
): { items: readonly T[]; nextPageToken: string | undefined } {
  const start = readCount(query, names.token, 0, 0);
  const end = start + readCount(query, names.limit, 1, items.length);
  return { items: items.slice(start, end), nextPageToken: end < items.length ? String(end) : undefined };
}

function readCount(
  query: Readonly<Record<string, string>>,
  name: string,
  least: number,
  fallback: number,
): number {
  const text = query[name];
  if (text === undefined || text === '') return fallback;
  const count = Number(text);
  if (/^\d{1,9}$/.test(text) && count >= least) return count;
  throw invalid(
    `Parameter "${name}"`,
    `is ${JSON.stringify(text.slice(0, 40))}; expected a whole number of at least ${least}.`,
  );
}
