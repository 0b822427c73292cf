/** The settings of a deployment cannot work. The message says what to change, in whole sentences. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/**
 * Notices that npm has read an option that was meant for a script, because `--` is missing before it.
 *
 * @throws SettingsError
 */
export function checkNpm(environment: NodeJS.ProcessEnv = process.env): void {
  if (environment.npm_config_models === undefined) return;
  const script = environment.npm_lifecycle_event ?? '<script>';
  throw new SettingsError(
    `npm has kept the option --models for itself; write "--" before it: npm run ${script} -- --models <folder>`,
  );
}
