/** Lets at most so many tasks run at once; the others wait in the order they came. */
export function createLimiter(places: number): <T>(task: () => Promise<T>) => Promise<T> {
  let free = places;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      // The place is handed on, so that no newcomer takes it in between.
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
