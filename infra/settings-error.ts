/** A deployment was asked for in a way that cannot work. The message says what to change, in whole sentences. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}
