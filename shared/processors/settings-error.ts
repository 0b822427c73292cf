/** Marks the errors of wrong settings, in whichever copy of this package. */
const SETTINGS = Symbol.for('ternion.settings');

/** Own code gives something of this package settings that it cannot have. The message says what, and what is expected. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly [SETTINGS] = true;
}

export function isSettingsError(error: unknown): error is SettingsError {
  return error instanceof Error && SETTINGS in error;
}
