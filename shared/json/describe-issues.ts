import type * as z from 'zod';
import { describeJson } from './parse-json.ts';

/**
 * What is wrong with the content of a file, in one line: each member with what it is and what is expected.
 *
 * @param value what was held to the schema
 */
export function describeIssues({ issues }: z.ZodError, value: unknown): string {
  return issues
    .map((issue) => `${issue.path.map(String).join('.') || 'the file'}: ${describeIssue(issue, value)}`)
    .join('; ');
}

/** How the messages of zod begin; a schema can bring its own, which say more. */
const OF_ZOD = /^(?:Invalid|Too|Unrecognized)\b/;

function describeIssue(issue: z.core.$ZodIssue, root: unknown): string {
  if (!OF_ZOD.test(issue.message)) return issue.message;
  const value = issue.path.reduce<unknown>(memberOf, root);
  const given = value === undefined ? 'missing' : describeJson(value);
  switch (issue.code) {
    case 'invalid_type':
      return `${given}; expected ${withArticle(NAMES.get(issue.expected) ?? issue.expected)}`;
    case 'invalid_union':
      // A union told apart by one member; the message lists what that can be.
      return issue.discriminator === undefined
        ? issue.message
        : `${given}; expected one of ${optionsIn(issue.message).join(', ')}`;
    case 'invalid_value':
      return `${given}; expected one of ${issue.values.map((known) => JSON.stringify(known)).join(', ')}`;
    case 'unrecognized_keys':
      return `unknown ${issue.keys.length === 1 ? 'member' : 'members'} ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
    case 'too_small':
      return `${given}; expected at least ${issue.minimum}${UNITS.get(issue.origin) ?? ''}`;
    case 'too_big':
      return `${given}; expected at most ${issue.maximum}${UNITS.get(issue.origin) ?? ''}`;
    default:
      return issue.message;
  }
}

/** Types of schemas that JSON calls otherwise. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['record', 'object'],
  ['tuple', 'array'],
  ['int', 'whole number'],
]);

const UNITS: ReadonlyMap<string, string> = new Map([
  ['array', ' items'],
  ['string', ' characters'],
]);

/** `at line 3, column 7`: where JSON breaks, of what `JSON.parse` says; nothing of the text itself. */
export function placeOfSyntaxError(error: unknown): string {
  const [, line, column] = /line (\d+) column (\d+)/.exec(error instanceof Error ? error.message : '') ?? [];
  return line === undefined ? '' : ` at line ${line}, column ${column}`;
}

function optionsIn(message: string): string[] {
  return Array.from(message.matchAll(/'([^']*)'/g), ([, option = '']) => JSON.stringify(option));
}

/** The value of a member, where there is one. */
export function memberOf(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return Reflect.get(value, key);
}

/** `an array`, `a number`. */
export function withArticle(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}
