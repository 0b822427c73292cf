/**
 * How long servers keep an idle connection open. Google's front end keeps its connections for 600 s, the load balancers
 * of AWS for 60 s; they must never send a request on a connection that a server is closing.
 */
export const KEEP_ALIVE_SECONDS = 620;
