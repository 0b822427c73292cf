import type { ModelListing } from '../shared/models/model-reference.ts';
import type { ModelRepository } from '../shared/models/model-repository.ts';
import { curlCommand } from './curl-command.ts';
import { shellWord } from './shell-word.ts';

/** If there are more models, only the first is shown. */
const MOST_MODELS = 3;
/** Longest command that is shown in a terminal. */
const LONGEST = 1000;

/** The models for which a starting server shows more than their names. */
export function pickShown(models: readonly ModelListing[]): readonly ModelListing[] {
  return models.slice(0, models.length > MOST_MODELS ? 1 : MOST_MODELS);
}

/**
 * A command that calls a model, without loading it. For a model without a `reference.json`, the command asks which
 * input it takes.
 *
 * @throws ModelError, StoreError
 */
export async function describeCall(
  repository: ModelRepository,
  { name, liveVersion: version }: ModelListing,
  url: string,
): Promise<string> {
  const example = await repository.example({ name, version });
  const command = example && curlCommand(url, name, example);
  if (command !== undefined && command.length <= LONGEST) return command;
  return `curl -s ${shellWord(`${url}/models/${name}`)}`;
}
