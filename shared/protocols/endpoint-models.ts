import type { Config } from '../config.ts';
import type { NamedChoice } from '../inference/inference.ts';

/**
 * The model an endpoint stands for: the one `ENDPOINT_MODELS` names, or the one of the same name.
 *
 * @param version that the request names; it goes before the one of `ENDPOINT_MODELS`
 */
export function modelOfEndpoint(
  endpoint: string,
  { endpointModels }: Pick<Config, 'endpointModels'>,
  version?: string,
): NamedChoice {
  const choice = endpointModels.get(endpoint) ?? { model: endpoint };
  return version === undefined ? choice : { ...choice, version };
}
