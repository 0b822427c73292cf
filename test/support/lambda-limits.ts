/** Bytes of an event. Source: AWS Lambda quotas, "Invocation payload (request and response)". */
export const MOST_EVENT_BYTES = 6 * 1024 * 1024;

/** Bytes of an answer: 100 more, as Lambda's own message says. */
export const MOST_ANSWER_BYTES = MOST_EVENT_BYTES + 100;

/** Bytes of an answer that is streamed. Source: AWS Lambda quotas, "Invocation payload (streamed)". */
export const MOST_STREAM_BYTES = 200 * 1024 * 1024;

/** Extensions of one function. Source: AWS Lambda developer guide, "Register". */
export const MOST_EXTENSIONS = 10;

/** Time to load the code before the first event. Source: AWS Lambda developer guide, "Init phase". */
export const MOST_INIT_MS = 10_000;

/**
 * Time to end after the last event. A function without extensions has none, so it gets no signal either.
 * Source: AWS Lambda developer guide, "Shutdown phase".
 */
export const SHUTDOWN_MS = { none: 0, internal: 500, external: 2_000 };

/** The part of that time for the runtime, if extensions in their own processes end after it. Source: the same. */
export const RUNTIME_SHUTDOWN_MS = 300;
