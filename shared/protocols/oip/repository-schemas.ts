import * as z from 'zod';
import { lazily } from '../body/lazily.ts';

// These only describe, as repository.ts reads requests itself.

export const indexRequest = lazily(() =>
  z
    .object({
      ready: z.boolean().optional().describe('Whether only models that are ready are listed.'),
    })
    .meta({ id: 'RepositoryIndexRequest' }),
);

export const unloadRequest = lazily(() => z.object({}).meta({ id: 'UnloadRequest' }));

export const indexResponse = lazily(() =>
  z
    .array(
      z.object({
        name: z.string(),
        version: z.string(),
        state: z.enum(['READY', 'LOADING', 'UNAVAILABLE']),
        reason: z.string(),
      }),
    )
    .meta({ id: 'RepositoryIndex' }),
);

/** Models come from the repository, so nothing can be said of how. */
export const loadRequest = lazily(() =>
  z.object({ parameters: z.strictObject({}).optional() }).meta({ id: 'LoadRequest' }),
);

export const loadResponse = lazily(() =>
  z.object({ name: z.string(), load: z.literal(true) }).meta({ id: 'Loaded' }),
);

export const unloadResponse = lazily(() =>
  z.object({ name: z.string(), unload: z.literal(true) }).meta({ id: 'Unloaded' }),
);
