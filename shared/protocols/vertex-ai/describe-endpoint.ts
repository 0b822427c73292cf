import type { Context } from 'hono';
import type { AppEnvironment } from '../../http/context.ts';
import { jsonResponse } from '../../http/respond.ts';
import { type ProtocolOptions, pathParameter } from '../operation.ts';

/**
 * An endpoint as a resource: the versions of the model it is called like, or of the default one, all requests going to
 * the live version. The Python class `aiplatform.Endpoint` reads it before it predicts, and again each time if it has
 * no `createTime`, for which the start of this instance stands.
 * Source: google/cloud/aiplatform/v1/endpoint.proto; models.py of google-cloud-aiplatform.
 */
export async function describeEndpoint(
  c: Context<AppEnvironment>,
  { inference: { repository }, config }: ProtocolOptions,
): Promise<Response> {
  const { project, location } = c.req.param();
  const endpoint = pathParameter(c, 'endpoint') ?? '';
  const parent = `projects/${project}/locations/${location}`;
  const models = await repository.list();
  const find = (wanted: string | undefined) => models.find(({ name }) => name === wanted);
  const found = find(endpoint) ?? find(config.defaultModel);
  const live = found && (await repository.resolve(found.name)).version;
  return jsonResponse({
    name: `${parent}/endpoints/${endpoint}`,
    displayName: endpoint,
    deployedModels: (found?.versions ?? []).map((version) => ({
      id: version,
      displayName: found?.name,
      model: `${parent}/models/${found?.name}`,
      modelVersionId: version,
      createTime: STARTED,
    })),
    trafficSplit: live === undefined ? {} : { [live]: 100 },
    createTime: STARTED,
    updateTime: STARTED,
  });
}

const STARTED = new Date(performance.timeOrigin).toISOString();
