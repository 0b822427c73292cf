import * as z from 'zod/mini';
import { type Checked, memberOf, parseText, type Read, readOf, SELDOM } from './json-file.ts';
import { describeJson } from './json-value.ts';
import { nearestName } from './nearest-name.ts';

/** Checks the content of a file against a schema. Each wrong member is named, with its value and what is expected. */
export function checkJson<T>(schema: z.ZodMiniType<T>, value: unknown): Checked<T> {
  const parsed = schema.safeParse(value, { ...SELDOM, error: describeIssue });
  if (parsed.success) return parsed;
  const issues = parsed.error.issues.map(
    ({ path, message }) => `${path.map(String).join('.') || 'the file'}: ${message}`,
  );
  return { success: false, issues: issues.join('; ') };
}

/** An issue as zod gives it to an error map, and as it gives it afterwards. */
type Issue = z.core.$ZodRawIssue | z.core.$ZodIssue;

/** An error map. zod calls it if a schema has no message of its own. */
function describeIssue(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'unrecognized_keys')
    return `unknown ${membersOf(issue.keys)}${hintAt(issue)}${choicesAt(issue)}`;
  if (issue.code === 'invalid_key')
    return `its name ${issue.issues.map(({ message }) => message).join(', ')}`;
  const given = describeGiven(issue);
  if (issue.code !== 'invalid_union' || issue.discriminator !== undefined) {
    return `${given}; expected ${expectationOf(issue)}${exampleAt(issue)}`;
  }
  // If there are several forms, the client meant the one that fits except for something inside it.
  const [inside] = issue.errors.find((errors) => errors.every(({ path }) => path.length > 0)) ?? [];
  if (!inside) return `${given}; expected ${expectationOf(issue)}`;
  return `${given}; at ${inside.path.map(String).join('.')} ${inside.message}`;
}

/** The object that was probably meant by the text alone: `"softmax"` for `{"step": "softmax"}`. */
function exampleAt(issue: z.core.$ZodRawIssue): string {
  if (issue.code !== 'invalid_type' || issue.expected !== 'object' || typeof issue.input !== 'string')
    return '';
  const def = issue.inst?._zod.def;
  const [first] = Object.keys(memberOf(def, 'shape') ?? {});
  const name = memberOf(def, 'discriminator') ?? first;
  return typeof name === 'string' ? `, such as ${JSON.stringify({ [name]: issue.input.slice(0, 40) })}` : '';
}

/** Unknown members for which the nearest known one is named; there can be as many as a file has room for. */
const MOST_HINTS = 3;

/** Which known members the unknown ones are probably meant to be. */
function hintAt({ keys, inst }: z.core.$ZodRawIssue<z.core.$ZodIssueUnrecognizedKeys>): string {
  const known = Object.keys(memberOf(inst?._zod.def, 'shape') ?? {});
  const near = keys.slice(0, MOST_HINTS).flatMap((key) => nearestName(key, known) ?? []);
  if (near.length === 0) return '';
  return `, perhaps meant as ${[...new Set(near)].map((name) => JSON.stringify(name)).join(', ')}`;
}

/** The names that the members of a record can have, if its schema lists them. */
function choicesAt({ inst }: z.core.$ZodRawIssue): string {
  const keys = memberOf(inst?._zod.def, 'keyType');
  return keys instanceof z.ZodMiniEnum ? `; expected ${oneOf(keys.options)}` : '';
}

/** The issue of a discriminated union is about the member that discriminates, but comes with the whole object. */
function describeGiven(issue: z.core.$ZodRawIssue): string {
  const isOfMember = issue.code === 'invalid_union' && issue.discriminator !== undefined;
  const value = isOfMember ? memberOf(issue.input, issue.discriminator ?? '') : issue.input;
  return value === undefined ? 'missing' : describeJson(value);
}

/** What a schema expects at the place of an issue, as in "expected a number". */
export function expectationOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'null' ? 'null' : withArticle(NAMES.get(issue.expected) ?? issue.expected);
    case 'invalid_value':
      return oneOf(issue.values);
    case 'invalid_union':
      if ('options' in issue && Array.isArray(issue.options)) return oneOf(issue.options);
      return [...new Set(issue.errors.flatMap(([first]) => (first ? expectationOf(first) : [])))].join(
        ' or ',
      );
    case 'unrecognized_keys':
      return `no ${membersOf(issue.keys)}`;
    case 'too_small':
      return limitOf(issue, issue.minimum, 'at least', 'more than');
    case 'too_big':
      return limitOf(issue, issue.maximum, 'at most', 'less than');
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.format === 'regex'
        ? `a string that matches ${issue.pattern}`
        : `a string of the format ${issue.format}`;
    default:
      return 'something else';
  }
}

function oneOf(values: readonly unknown[]): string {
  const known = values.map((value) => JSON.stringify(value)).join(', ');
  return values.length === 1 ? known : `one of ${known}`;
}

/** Most members that are named. */
const SHOWN_MEMBERS = 8;

function membersOf(keys: readonly string[]): string {
  const shown = keys.slice(0, SHOWN_MEMBERS).map((key) => JSON.stringify(key.slice(0, 100)));
  const more = keys.length - shown.length;
  return `${keys.length === 1 ? 'member' : 'members'} ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

interface Limit {
  readonly origin: string;
  readonly inclusive?: boolean | undefined;
  readonly exact?: boolean | undefined;
}

function limitOf({ origin, inclusive, exact }: Limit, limit: number | bigint, closed: string, open: string) {
  const unit = UNITS.get(origin);
  const amount = unit === undefined ? `${limit}` : `${limit} ${unit}${Number(limit) === 1 ? '' : 's'}`;
  if (exact) return `exactly ${amount}`;
  return `${inclusive === false ? open : closed} ${amount}`;
}

/** Types of schemas that have other names in JSON. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['record', 'object'],
  ['tuple', 'array'],
  ['int', 'whole number'],
]);

const UNITS: ReadonlyMap<string, string> = new Map([
  ['array', 'item'],
  ['string', 'character'],
]);

/** Reads the text of a JSON file and checks it against a schema. A byte order mark is not part of it. */
export function checkJsonText<T>(schema: z.ZodMiniType<T>, text: string): Read<T> {
  const given = parseText(text);
  return given.success ? readOf(checkJson(schema, given.data)) : given;
}

/** `an array`, `a number`. */
function withArticle(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}
