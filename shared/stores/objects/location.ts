import { StoreError } from '../model-store.ts';
import type { ObjectLocation } from './object-store.ts';

/**
 * The bucket or container and the prefix in a URL, which is used as it is, without percent-decoding.
 *
 * @param noun what the first part of its path is called
 * @throws StoreError when the URL names none
 */
export function parseLocation(
  url: string,
  scheme: string,
  noun: string,
): ObjectLocation & { readonly container: string } {
  const [, container, path] = new RegExp(`^${scheme}://([^/]+)(?:/(.*))?$`, 's').exec(url) ?? [];
  if (container === undefined) throw locationError(url, noun, `${scheme}://${noun}/prefix`);
  return { container, ...locate(`${scheme}://${container}/`, path) };
}

/** @param expected how such a URL is written */
export function locationError(url: string, noun: string, expected: string): StoreError {
  return new StoreError('missing', `${JSON.stringify(url)} has no ${noun}: write ${expected}.`);
}

/**
 * @param root what comes before each key in messages
 * @param path below it, perhaps with slashes around it
 */
export function locate(root: string, path = ''): ObjectLocation {
  const below = path.replace(/^\/+|\/+$/g, '');
  return { root, url: (root + below).replace(/\/$/, ''), prefix: below && `${below}/` };
}
