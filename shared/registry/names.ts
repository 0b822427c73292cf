import { createHash } from 'node:crypto';
import { NAME_PATTERN } from '../config.ts';
import { type InferenceError, invalid } from '../errors.ts';
import { RELEASES_FOLDER } from '../models/repository-listing.ts';
import { isVersion } from '../models/versions.ts';

/** As wide as MLflow's columns and checks. Source: mlflow.utils.validation and mlflow.store.model_registry.dbmodels. */
const LONGEST = {
  name: 256,
  description: 5000,
  tagKey: 250,
  tagValue: 100_000,
  alias: 255,
  source: 500,
  why: 1000,
};

/** S3 and many file systems allow longer names, but not all do. */
const LONGEST_FOLDER = 100;

/** @throws InferenceError INVALID_PARAMETER_VALUE */
export function checkModelName(name: string, field = 'name'): string {
  checkLength(name, field, LONGEST.name);
  if (name.trim() === '' || /[/:]/.test(name) || name === '.' || name === '..')
    throw refused(field, name, 'a name that is not blank and has neither "/" nor ":"');
  return name;
}

/** @throws InferenceError INVALID_PARAMETER_VALUE */
export function checkAlias(alias: string): string {
  checkLength(alias, 'alias', LONGEST.alias);
  if (!/^[A-Za-z0-9][\w-]*$/.test(alias))
    throw refused('alias', alias, 'letters, digits, "_" and "-", with a letter or digit first');
  if (alias.toLowerCase() === 'latest' || isVersion(alias))
    throw refused('alias', alias, 'a name that cannot be mistaken for a version');
  return alias;
}

/** @throws InferenceError INVALID_PARAMETER_VALUE */
export function checkTagKey(key: string): string {
  checkLength(key, 'key', LONGEST.tagKey);
  const isPath = key.startsWith('/') || key.split('/').some((part) => ['', '.', '..'].includes(part));
  if (key === '__proto__' || isPath || !/^[/\w.:\- \p{L}\p{N}]+$/u.test(key))
    throw refused('key', key, 'letters, digits, "_", "-", ".", ":", blanks and "/" between them');
  return key;
}

/** @throws InferenceError INVALID_PARAMETER_VALUE */
export function checkTagValue(value: string): string {
  return checkLength(value, 'value', LONGEST.tagValue);
}

/** @throws InferenceError INVALID_PARAMETER_VALUE */
export function checkDescription(text: string): string {
  return checkLength(text, 'description', LONGEST.description);
}

/** @throws InferenceError INVALID_PARAMETER_VALUE */
export function checkSourceLength(text: string, field: string): string {
  return checkLength(text, field, LONGEST.source);
}

/** @throws InferenceError INVALID_PARAMETER_VALUE */
export function checkWhy(text: string): string {
  return checkLength(text, 'why', LONGEST.why);
}

function checkLength(text: string, field: string, most: number): string {
  if (text.length <= most) return text;
  throw invalid(`Parameter "${field}"`, `has ${text.length} characters; the limit is ${most}.`);
}

function refused(field: string, value: string, expected: string): InferenceError {
  return invalid(`Parameter "${field}"`, `is ${JSON.stringify(value.slice(0, 60))}; expected ${expected}.`);
}

/** Whether a registered name can be the name of its folder as it is. */
export function isFolderName(name: string): boolean {
  return NAME_PATTERN.test(name) && name.length <= LONGEST_FOLDER && name !== RELEASES_FOLDER;
}

/** The folder for a name that cannot be one: its letters and digits, with a part of its hash. */
export function madeFolder(name: string): string {
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 12);
  const plain = name.normalize('NFKD').replace(/[^A-Za-z0-9._-]+/g, '-');
  const start = plain.replace(/^[^A-Za-z0-9]+/, '').slice(0, LONGEST_FOLDER - 20);
  return `${start || 'model'}-${hash}`;
}
