import type { Budget } from '../budget.ts';
import type { Config } from '../config.ts';
import { InferenceError } from '../errors.ts';
import type { NamedChoice } from '../inference/inference.ts';
import type { ModelListing } from '../models/model-reference.ts';
import type { ModelRepository } from '../models/model-repository.ts';
import type { ProtocolOptions } from './operation.ts';

/**
 * The model an endpoint stands for: the one `ENDPOINT_MODELS` names, or the one of the same name.
 *
 * @param version that the request names; it takes precedence over the one of `ENDPOINT_MODELS`
 */
export function modelOfEndpoint(
  endpoint: string,
  { endpointModels }: Pick<Config, 'endpointModels'>,
  version?: string,
): NamedChoice & { readonly model: string } {
  const choice = endpointModels.get(endpoint) ?? { model: endpoint };
  return version === undefined ? choice : { ...choice, version };
}

/** An endpoint, a deployment or a pipeline, as clients call it: a name that stands for a model. */
export interface Endpoint {
  readonly name: string;
  readonly model: ModelListing;
  /** The version that answers. */
  readonly version: string;
}

/**
 * All endpoints: first those of `ENDPOINT_MODELS` whose models exist, then the models by their own names. This loads no
 * model.
 *
 * @throws StoreError
 */
export async function listEndpoints(
  { inference: { repository }, config: { endpointModels } }: Pick<ProtocolOptions, 'inference' | 'config'>,
  budget: Budget,
): Promise<readonly Endpoint[]> {
  const models = await repository.list(budget);
  const known = [...endpointModels].filter(([, { model }]) => models.some(({ name }) => name === model));
  const named = await Promise.all(
    known.map(([name, choice]) => findEndpoint(name, choice, repository, budget).catch(noneIfMissing)),
  );
  const others = models.filter(({ name }) => !endpointModels.has(name));
  return [
    ...named.filter((endpoint) => endpoint !== undefined),
    ...others.map((model): Endpoint => ({ name: model.name, model, version: model.liveVersion })),
  ];
}

/**
 * One endpoint. This loads no model.
 *
 * @param choice the model that it stands for
 * @throws InferenceError RESOURCE_DOES_NOT_EXIST listing those that exist
 */
export async function findEndpoint(
  name: string,
  { model: modelName, version }: { readonly model: string; readonly version?: string | undefined },
  repository: ModelRepository,
  budget: Budget,
): Promise<Endpoint> {
  const reference = await repository.resolve(modelName, version, budget);
  const { name: found, version: live } = reference;
  const model = await repository.versions(found, budget);
  return { name, model: model ?? { name: found, versions: [live], liveVersion: live }, version: live };
}

/** A list leaves out an endpoint whose version does not exist. */
function noneIfMissing(error: unknown): undefined {
  if (!(error instanceof InferenceError)) throw error;
}
