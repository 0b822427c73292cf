/**
 * For schemas that check a few values in a process, such as those of a model's files: zod would compile a function for
 * each object, which takes longer than the checks.
 */
export const SELDOM = { jitless: true } as const;

/** The result of checking a value against a schema: its output, or one line that says what is wrong. */
export type Checked<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly issues: string };

/** The result of reading a JSON file: its value, or what is wrong, as the end of a sentence: `is not valid (…)`. */
export type Read<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly problem: string };

/** Parses the text of a JSON file, without checking its value. */
export function parseText(text: string): Read<unknown> {
  try {
    return { success: true, data: JSON.parse(text.replace(/^\ufeff/, '')) };
  } catch (error) {
    return { success: false, problem: `is not valid JSON${placeOfSyntaxError(error)}` };
  }
}

/** What was found in a value, as what was found in the file that it is from. */
export function readOf<T>(checked: Checked<T>): Read<T> {
  return checked.success ? checked : { success: false, problem: `is not valid (${checked.issues})` };
}

/** The value of a member, if there is one. */
export function memberOf(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return Reflect.get(value, key);
}

/** `at line 3, column 7`: the place of the mistake, from the message of `JSON.parse`; the text itself is not quoted. */
export function placeOfSyntaxError(error: unknown): string {
  const [, line, column] = /line (\d+) column (\d+)/.exec(error instanceof Error ? error.message : '') ?? [];
  return line === undefined ? '' : ` at line ${line}, column ${column}`;
}
