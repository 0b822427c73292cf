import { afterAll, afterEach } from 'vitest';

/** Setup of tests whose files share a process: a member that one adds to all objects would break those after it. */
const PROTOTYPES = {
  'Object.prototype': Object.prototype,
  'Array.prototype': Array.prototype,
  'Function.prototype': Function.prototype,
};

afterEach(restorePrototypes);
// For what a file does outside its tests.
afterAll(restorePrototypes);

/**
 * Removes the enumerable members of prototypes: the language itself has none there.
 *
 * @throws Error with their names if there were some
 */
function restorePrototypes(): void {
  const found = Object.entries(PROTOTYPES).flatMap(([name, prototype]) =>
    Reflect.ownKeys(prototype)
      .filter((key) => Object.prototype.propertyIsEnumerable.call(prototype, key))
      .map((key) => {
        const removed = Reflect.deleteProperty(prototype, key) ? 'was removed' : 'cannot be removed';
        return `${name} had the enumerable member ${JSON.stringify(String(key))}, which ${removed}`;
      }),
  );
  if (found.length > 0) throw new Error(`${found.join('; ')}.`);
}
