import { nearestName } from '../json/nearest-name.ts';
import { SettingsError } from '../processors/settings-error.ts';

/** @throws SettingsError for a setting that a function does not have: code without types can pass any */
export function refuseUnknown(subject: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const near = nearestName(unknown, known);
  const meant = near === undefined ? '' : `, perhaps "${near}" was meant`;
  throw new SettingsError(
    `${subject} has no setting ${JSON.stringify(unknown.slice(0, 60))}; it has ${known.map((name) => `"${name}"`).join(', ')}${meant}.`,
  );
}

/**
 * A setting that is a text. Most come from the environment.
 *
 * @throws SettingsError when it is missing
 */
export function requireText(subject: string, name: string, value: string | undefined): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new SettingsError(
    `${subject} needs "${name}", which is ${value === '' ? 'empty' : 'missing'}. If it comes from a variable of the environment, set that variable.`,
  );
}

/**
 * The address of a store, of which messages show only the host.
 *
 * @param protocols such as `redis:`
 * @throws SettingsError, which does not show what it was: that may have a password
 */
export function requireUrl(subject: string, value: string | undefined, protocols: readonly string[]): URL {
  const text = requireText(subject, 'url', value);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.search !== '' || url.hash !== ''))
    throw new SettingsError(`${subject} cannot use what follows the "?" or "#" in its "url".`);
  if (url !== undefined && protocols.includes(url.protocol) && url.hostname !== '') return url;
  const expected = protocols.map((protocol) => `${protocol}//HOST`).join(' or ');
  throw new SettingsError(`${subject} cannot use its "url"; expected ${expected}.`);
}

/** @throws SettingsError for something else than a number in a range */
export function requireNumber(
  subject: string,
  name: string,
  value: number,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw new SettingsError(`${subject} needs a number from ${least} to ${most} as "${name}".`);
}
