/** The names of the nodes by which the runtime refuses a request. Its errors quote them. */
export const GROWTH_GUARD = 'ternion: too many elements';
export const TURNS_GUARD = 'ternion: too many turns';

/** Most iterations. An iteration takes at least a microsecond, so more would block the thread for seconds. */
export const MOST_TURNS = 2 ** 20;
