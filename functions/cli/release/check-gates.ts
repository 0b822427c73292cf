import { InferenceError } from '../../../shared/errors.ts';
import { ModelError } from '../../../shared/models/model-config.ts';
import { StoreError } from '../../../shared/stores/model-store.ts';
import { CommandError } from '../console.ts';
import { findPublished } from '../find-model.ts';
import { describeTrial, tryModel } from '../publish/try-model.ts';

/** One condition of a promotion. */
export interface Gate {
  readonly gate: 'answers' | 'metrics';
  readonly passed: boolean;
  readonly detail: string;
}

/**
 * Whether a version answers: the requests of its `reference.json` as expected, else an example.
 *
 * @param repository that holds it
 */
export async function checkAnswers(repository: string, model: string, version: string): Promise<Gate> {
  try {
    const found = await findPublished(repository, model, version);
    const trial = await tryModel(found).finally(() => found.app.close());
    return { gate: 'answers', passed: trial.problem === undefined, detail: describeTrial(trial) };
  } catch (error) {
    const isKnown =
      error instanceof CommandError ||
      error instanceof InferenceError ||
      error instanceof ModelError ||
      error instanceof StoreError;
    if (!isKnown) throw error;
    return { gate: 'answers', passed: false, detail: error.message };
  }
}

/** Metrics of which less is better, by the words in their names. */
const LESS_IS_BETTER =
  /(?:^|[^a-z])(?:[a-z]*loss|errors?|err|mae|[a-z]?mse|s?mape|[wc]er|ece|nll|brier|deviance|latency|perplexity)(?:$|[^a-z])/i;

/** Metrics that say how much was measured, and not how well. */
const COUNT = /(?:^|_)(?:rows|samples|examples|count|epochs|steps|support)$/i;

/**
 * Whether no metric of the champion is worse in the challenger by more than its limit.
 *
 * @param limits how much worse each metric may be; 0 for those that are not named
 */
export function checkMetrics(
  champion: Readonly<Record<string, number>>,
  challenger: Readonly<Record<string, number>>,
  limits: ReadonlyMap<string, number>,
): Gate {
  const worse: string[] = [];
  const unknown = [...limits.keys()].filter((name) => !Object.hasOwn(champion, name));
  const compared = Object.entries(champion).filter(([name]) => limits.has(name) || !COUNT.test(name));
  for (const [name, before] of compared) {
    const after = Object.hasOwn(challenger, name) ? challenger[name] : undefined;
    if (after === undefined) {
      worse.push(`${name} is ${before} in the live version, and is not known of this one`);
      continue;
    }
    const loss = LESS_IS_BETTER.test(name) ? after - before : before - after;
    const limit = limits.get(name) ?? 0;
    if (loss > limit) worse.push(`${name} is ${after}, and ${before} in the live version`);
  }
  worse.push(...unknown.map((name) => `${name} is not known of the live version`));
  const good = compared.length === 0 ? 'the live version has no metrics' : 'no metric is worse';
  return { gate: 'metrics', passed: worse.length === 0, detail: worse.join('; ') || good };
}
