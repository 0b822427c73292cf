import type { Config } from '../config.ts';
import type { NamedChoice } from '../inference/inference.ts';

/** The model an endpoint stands for: the one `ENDPOINT_MODELS` names, or the one of the same name. */
export function modelOfEndpoint(
  endpoint: string,
  { endpointModels }: Pick<Config, 'endpointModels'>,
): NamedChoice {
  return endpointModels.get(endpoint) ?? { model: endpoint };
}
