import { CommandError } from './console.ts';

/**
 * Reads a whole number that an option was given.
 *
 * @throws CommandError naming the option and what it takes
 */
export function readWhole(text: string, option: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= least && value <= most) return value;
  throw new CommandError(
    `${option} ${JSON.stringify(text.slice(0, 100))} must be a whole number from ${least} to ${most}.`,
    2,
  );
}
