/** The settings of a deployment cannot work. The message says what to change, in whole sentences. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}
