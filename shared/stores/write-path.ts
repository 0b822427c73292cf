import { StoreError } from './model-store.ts';

/**
 * Refuses a path that a store would not list.
 *
 * @throws StoreError `denied`
 */
export function checkWritePath(path: string): void {
  const isListed = path.split('/').every((part) => part !== '' && !part.startsWith('.'));
  if (isListed && !/[\\\0]/.test(path)) return;
  throw new StoreError(
    'denied',
    `${JSON.stringify(path)} cannot be written to a model repository: ` +
      'the parts of a path must not be empty, start with "." or contain "\\".',
  );
}
