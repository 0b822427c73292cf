import * as z from 'zod/mini';
import { NAME_PATTERN } from '../config.ts';

/** Parts that all requests are divided into: an owner of a part is an owner of 0.01 % of the requests. */
export const PARTS = 10_000;

/** The name of a model, a version or an alias. */
export const nameSchema = z
  .string()
  .check(z.regex(NAME_PATTERN, 'must consist of letters, digits, ".", "_" and "-"'));

/** A header has letters, digits and the marks of RFC 9110, section 5.6.2; a cookie too. */
const token = z.string().check(z.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'must be a name of a header'));

/** Parts of the requests, from `start` to before `end`, that an alias or a version gets. */
const rangeSchema = z.object({
  target: nameSchema,
  start: z.int().check(z.gte(0), z.lt(PARTS)),
  end: z.int().check(z.gt(0), z.lte(PARTS)),
});

/**
 * How requests that name no version are divided. What no rule and no range covers goes to the live version. Unknown
 * members are allowed, as later releases may add some.
 */
const trafficSchema = z.looseObject({
  /** Makes the division of one model independent of those of others; it never changes by itself. */
  seed: z.string().check(z.minLength(1), z.maxLength(100)),
  /** What makes two requests belong together; undefined: each request is for itself. */
  key: z.optional(
    z.union([
      z.strictObject({ header: token }),
      z.strictObject({ cookie: token }),
      z.strictObject({ field: z.string().check(z.minLength(1), z.maxLength(200)) }),
    ]),
  ),
  /** In ascending order, without overlap. */
  ranges: z.array(rangeSchema),
  /** The first whose condition a request meets decides. Conditions are in GrowthBook's language. */
  rules: z._default(z.array(z.object({ when: z.record(z.string(), z.unknown()), target: nameSchema })), []),
  /** Versions that also get a share of the requests, in percent, without a say in any answer. */
  shadows: z._default(
    z.array(z.object({ target: nameSchema, percent: z.number().check(z.gt(0), z.lte(100)) })),
    [],
  ),
});

/** What decides which version of a model answers. It is a part of `index.json`, so it is small. */
export const servingSchema = z.looseObject({
  /** The name of the model for clients, if it is not that of its folder. */
  name: z.optional(nameSchema),
  /** The version that answers requests which name none; undefined: the highest. */
  live: z.optional(nameSchema),
  /** Names for versions, such as `champion`, that can be moved to another version without any change to clients. */
  aliases: z._default(z.record(nameSchema, z.string().check(z.minLength(1))), {}),
  traffic: z.optional(trafficSchema),
  /** Versions that are not served any more, although their files are kept. */
  archived: z._default(z.array(nameSchema), []),
  /** The version that was live before, kept in memory by each instance for so long after it has heard of the switch. */
  warm: z.optional(z.object({ version: nameSchema, seconds: z.number().check(z.gt(0), z.lte(86_400)) })),
});

export type Traffic = z.infer<typeof trafficSchema>;
export type Range = z.infer<typeof rangeSchema>;
export type Serving = z.infer<typeof servingSchema>;
