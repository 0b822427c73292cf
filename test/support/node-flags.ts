/**
 * How `npm start` starts Node, and the first line of the command `ternion`. V8 lets the space for new objects grow far
 * beyond what requests need, and never gives it back: with a bound on it the process takes the same time and keeps 70 MB
 * less.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=4'];
