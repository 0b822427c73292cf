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
  const [, container, path = ''] = new RegExp(`^${scheme}://([^/]+)(?:/(.*))?$`, 's').exec(url) ?? [];
  if (container === undefined) {
    throw new StoreError(
      'missing',
      `${JSON.stringify(url)} has no ${noun}: write ${scheme}://${noun}/prefix.`,
    );
  }
  const below = path.replace(/^\/+|\/+$/g, '');
  const root = `${scheme}://${container}/`;
  return { container, root, url: (root + below).replace(/\/$/, ''), prefix: below && `${below}/` };
}
