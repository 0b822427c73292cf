/**
 * How long servers keep a connection on which nothing comes. Google's front end keeps its own for 600 s, the load
 * balancers of AWS for 60: they must never send a request on one that a server is closing.
 */
export const KEEP_ALIVE_SECONDS = 620;
