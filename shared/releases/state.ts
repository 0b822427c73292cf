import * as z from 'zod/mini';
import { nameSchema, servingSchema } from '../models/serving.ts';

const text = z.string();
const tags = z._default(z.record(text, text), {});

/** What people know about a version. Times are in milliseconds since the epoch, by the clock of the store. */
const versionCardSchema = z.looseObject({
  description: z.optional(text),
  tags,
  metrics: z._default(z.record(text, z.number()), {}),
  /** MLflow's older way to name the champion and its challengers. */
  stage: z.optional(text),
  /** Where it came from, as a client of MLflow's registry gave it. */
  source: z.optional(text),
  runId: z.optional(text),
  runLink: z.optional(text),
  modelId: z.optional(text),
  /** Why there are no files of it; undefined if there are. */
  failure: z.optional(text),
  createdMs: z.optional(z.number()),
  updatedMs: z.optional(z.number()),
  /** When it was deleted. Its number is never given again. */
  deletedMs: z.optional(z.number()),
});

/** What people know about a model; it decides nothing. */
export const cardSchema = z.looseObject({
  /** Its name for clients of the registry; undefined: that of its folder. */
  name: z.optional(text),
  description: z.optional(text),
  tags,
  versions: z._default(z.record(nameSchema, versionCardSchema), {}),
  createdMs: z.optional(z.number()),
  updatedMs: z.optional(z.number()),
  /** A promotion that waits for the approval of another person. */
  proposal: z.optional(z.looseObject({ version: text, by: text, why: text })),
  /** Whether it was deleted from the registry. */
  deleted: z.optional(z.boolean()),
});

/** One change to a model, as `releases/<model>/<revision>.json` holds it. */
export const releaseSchema = z.looseObject({
  model: nameSchema,
  /** 1 for the first; revision 0 is the model as it is without any release. */
  revision: z.int().check(z.gte(1)),
  /** Made by the writer, which knows its own write by it when the answer was lost. */
  id: text,
  /** By the clock of the store. */
  at: z.iso.datetime(),
  by: text,
  why: text,
  /** What was asked for, such as `promote 3`. */
  action: text,
  /** SHA-256 of the bytes of the revision before; of no bytes if there was none. */
  previous: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  serving: servingSchema,
  card: cardSchema,
});

export type VersionCard = z.infer<typeof versionCardSchema>;
export type Card = z.infer<typeof cardSchema>;
export type Release = z.infer<typeof releaseSchema>;
