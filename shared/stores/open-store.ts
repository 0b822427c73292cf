import { ConfigError } from '../config.ts';
import type { ModelStore } from './model-store.ts';

/** Opens a store for a repository URL. The host decides which stores it includes. */
export type StoreOpener<S extends ModelStore = ModelStore> = (url: string) => S;

/**
 * Opens the store of a repository: the one for the URL's scheme, or `file` for a plain folder.
 *
 * @param variable which the URL comes from
 * @throws ConfigError with the schemes that this host can read, when the scheme is another
 */
export function openStore<S extends ModelStore>(
  url: string,
  openers: Readonly<Record<string, StoreOpener<S>>>,
  variable = 'MODEL_REPOSITORY',
): S {
  // A single letter before the colon is a Windows drive, not a scheme.
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(url)?.[1]?.toLowerCase() ?? 'file';
  const open = openers[scheme];
  if (open) return open(url);
  const known = Object.keys(openers).map((name) => (name === 'file' ? 'a folder' : `${name}://`));
  throw new ConfigError(
    `${variable}=${JSON.stringify(url)} cannot be read by this host; it reads ${known.join(', ')}.`,
  );
}
