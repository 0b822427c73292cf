import * as z from 'zod/mini';

/** The files are not those of a tokenizer this server knows. The message is fit for clients. */
export class TokenizerError extends Error {
  override readonly name = 'TokenizerError';
}

/** A part of `tokenizer.json`: its kind and its options. */
export type Part = Readonly<Record<string, unknown>> & { readonly type: string };

/** A part as the file has it; null is not a part. */
export const partSchema = z.nullish(z.looseObject({ type: z.string() }));

/** Makes one kind of part from its options. */
export type PartMaker<T> = (part: Part) => T;

/**
 * Makes the part that the file names.
 *
 * @param kind what the part is, in words
 * @throws TokenizerError when it is of an unknown kind, or an option is wrong
 */
export function makePart<T>(kind: string, makers: Readonly<Record<string, PartMaker<T>>>, part: Part): T {
  const make = Object.hasOwn(makers, part.type) ? makers[part.type] : undefined;
  if (make) return make(part);
  throw new TokenizerError(
    `its tokenizer.json has the ${kind} ${JSON.stringify(part.type.slice(0, 60))}; expected one of ${Object.keys(makers).join(', ')}`,
  );
}

/**
 * Reads the options of a part.
 *
 * @throws TokenizerError naming the part and the first option that is wrong
 */
export function readOptions<T extends z.ZodMiniType>(part: Part, schema: T): z.infer<T> {
  const parsed = schema.safeParse(part);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const option = issue?.path.join('.') || 'options';
  throw new TokenizerError(`its tokenizer.json has a ${part.type} whose "${option}" cannot be used`);
}

/** Public models have fewer than twenty. */
const MOST_PARTS = 100;

/**
 * The parts in the order in which they run, including those of nested sequences.
 *
 * @param kind what the parts are, in words
 * @param member of a sequence, which has its parts
 * @throws TokenizerError when a sequence cannot be used, or there are too many parts
 */
export function flattenParts(kind: string, part: Part | null | undefined, member: string): readonly Part[] {
  const flat: Part[] = [];
  let seen = 0;
  const visit = (each: Part) => {
    if (++seen > MOST_PARTS)
      throw new TokenizerError(`its tokenizer.json has more than ${MOST_PARTS} parts in its ${kind}`);
    if (each.type === 'Sequence') for (const inner of readSequence(each, member)) visit(inner);
    else flat.push(each);
  };
  if (part) visit(part);
  return flat;
}

/** The parts of a sequence of parts. */
function readSequence(part: Part, member: string): Part[] {
  const parsed = z.looseObject({ [member]: z.array(z.looseObject({ type: z.string() })) }).safeParse(part);
  if (parsed.success) return z.array(z.looseObject({ type: z.string() })).parse(parsed.data[member]);
  throw new TokenizerError(`its tokenizer.json has a ${part.type} whose "${member}" cannot be used`);
}
