import { ConfigError } from '../shared/config.ts';

/**
 * The port in an environment variable or an option.
 *
 * @param name of the variable, for the message
 * @throws ConfigError
 */
export function readPort(text: string, name = 'PORT'): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65_535) {
    throw new ConfigError(`${name}=${JSON.stringify(text)} must be a number from 1 to 65535.`);
  }
  return Number(text);
}
