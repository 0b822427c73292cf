const AUTH_LEVELS = ['anonymous', 'function', 'admin'] as const;

export type AuthLevel = (typeof AUTH_LEVELS)[number];

/**
 * Which key a caller needs. Private by default. An unknown word means the strictest level; it is not thrown, because an
 * error while functions are registered leaves an app without functions and without a log.
 */
export function parseAuthLevel(value: string | undefined): AuthLevel {
  if (!value) return 'function';
  return AUTH_LEVELS.find((level) => level === value) ?? 'admin';
}
