const AUTH_LEVELS = ['anonymous', 'function', 'admin'] as const;

export type AuthLevel = (typeof AUTH_LEVELS)[number];

/**
 * Which key a caller needs. Private unless said otherwise; an unknown word is taken for the strictest level rather
 * than thrown, as an error while functions are registered leaves an app with no functions and no log.
 */
export function parseAuthLevel(value: string | undefined): AuthLevel {
  if (!value) return 'function';
  return AUTH_LEVELS.find((level) => level === value) ?? 'admin';
}
