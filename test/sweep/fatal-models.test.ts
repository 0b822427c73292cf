import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readGraph } from '../../shared/onnx/graph.ts';
import { bytesSource } from '../../shared/onnx/protobuf.ts';
import { createSession } from '../../shared/runtime/session.ts';
import { inMemory } from '../support/in-memory.ts';
import { makeFolder } from '../support/temporary-folder.ts';
import { FATAL_MODELS } from './fatal-models.ts';
import { fusedModels } from './fused-models.ts';
import { watchChild } from './watch-child.ts';

/** A hang takes this much processor time before it counts as one; checked allocations take several times as long. */
const HANG_MS = 1_000;
const CHECKED_HANG_MS = 10_000;

// If one of these fails after an upgrade, the runtime got better and the guard of that operator can be removed.
describe.runIf(process.platform === 'linux' && process.arch === 'x64')('ONNX Runtime 1.30.0 alone', () => {
  it.each(FATAL_MODELS)(
    'ends its process with $ending: $operator, $cause',
    async ({ ending, isLoading, needsChecks, model, feeds }) => {
      const job = {
        units: [{ operator: '', model, feeds, extent: 'alone' as const }],
        start: { unit: 0, condition: 0 },
        skip: [],
        hasArena: !needsChecks,
      };
      const watched = await watchChild(job, needsChecks ? CHECKED_HANG_MS : HANG_MS);
      expect(watched.lines).toEqual(isLoading ? ['u 0'] : ['u 0', 'loaded', 'r 0 0 0']);
      expect(watched.ending === 'hang' ? 'hang' : watched.signal).toBe(ending);
    },
  );

  it.each(fusedModels().map(({ text, writes, model }) => [text, writes, model] as const))(
    'makes the operators that the sweep is after: %s, %j',
    async (_, writes, model) => {
      const folder = await makeFolder({});
      const path = join(folder, 'model.onnx');
      const session = await createSession(inMemory(model), { intraOpThreads: 1, optimizedModel: { path } });
      await session.release();
      const { operators } = await readGraph(bytesSource(readFileSync(path)));
      expect(writes.filter((operator) => !operators.has(operator))).toEqual([]);
    },
  );
});
