/** Deepest nesting of the JSON that the command reads, from its user or out of an answer. */
export const JSON_DEPTH = 64;
