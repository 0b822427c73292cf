import { loadOnce } from '../../memo.ts';
import type { WritableStore } from '../model-store.ts';
import type { ObjectStoreOptions } from './object-requests.ts';
import type { ObjectLocation } from './object-store.ts';
import type { ObjectProtocol } from './protocol.ts';

/** A store whose code is loaded with its first request: most servers have a folder of models. */
export function openLazily(
  location: ObjectLocation,
  options: ObjectStoreOptions,
  loadProtocol: () => Promise<ObjectProtocol>,
): WritableStore {
  const opened = loadOnce(async () => {
    const [{ createObjectStore }, protocol] = await Promise.all([
      import('./object-store.ts'),
      loadProtocol(),
    ]);
    return createObjectStore(protocol, location, options);
  });
  return {
    url: location.url,
    list: async (...args) => await (await opened()).list(...args),
    read: async (...args) => await (await opened()).read(...args),
    load: async (...args) => await (await opened()).load(...args),
    write: async (...args) => await (await opened()).write(...args),
    remove: async (...args) => await (await opened()).remove(...args),
  };
}
