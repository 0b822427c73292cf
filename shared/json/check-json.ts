import type * as z from 'zod/mini';
import { type Checked, parseText, type Read, readOf, SELDOM } from './json-file.ts';

/**
 * Checks a value against a schema. What describes mistakes is loaded for a value that has some, because nearly all have
 * none.
 */
export async function checkValue<T>(schema: z.ZodMiniType<T>, value: unknown): Promise<Checked<T>> {
  const parsed = schema.safeParse(value, SELDOM);
  if (parsed.success) return parsed;
  return (await import('./describe-issues.ts')).checkJson(schema, value);
}

/** Reads the text of a JSON file and checks it in the same way. A byte order mark is not part of it. */
export async function checkTextOf<T>(schema: z.ZodMiniType<T>, text: string): Promise<Read<T>> {
  const given = parseText(text);
  return given.success ? readOf(await checkValue(schema, given.data)) : given;
}
