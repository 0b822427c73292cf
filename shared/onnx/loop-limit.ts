/** Most iterations. An iteration takes at least a microsecond, so more would block the thread for seconds. */
export const MOST_TURNS = 2 ** 20;

/**
 * Name of the node that the runtime refuses to compute if loops take too many iterations. Its errors quote the name.
 */
export const TURNS_GUARD = 'ternion: too many turns';
