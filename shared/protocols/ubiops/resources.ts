import type { Context } from 'hono';
import type { AppEnvironment } from '../../http/context.ts';
import { jsonResponse } from '../../http/respond.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { STARTED } from '../encode-model.ts';
import { type Endpoint, findEndpoint, listEndpoints, modelOfEndpoint } from '../endpoint-models.ts';
import { jsonContent, type Operation, type ProtocolOptions } from '../operation.ts';
import { encodeFields } from './encode.ts';
import * as schemas from './schemas.ts';

/** What clients call a model. Requests to both kinds are the same. */
export const KINDS = ['deployment', 'pipeline'] as const;
export type Kind = (typeof KINDS)[number];

export const API = '/v2.1';
const PROJECTS = `${API}/projects`;

/** The paths of a project's deployments or pipelines. */
export function pathOfKind(kind: Kind): string {
  return `${PROJECTS}/{project}/${kind}s`;
}

/**
 * What clients can read apart from requests: the status, projects, and models as deployments and as pipelines. A
 * project can have any name. Lists load no model; a single deployment has its fields, so its model is loaded. Source:
 * docs/Deployments.md, Pipelines.md, Projects.md and Status.md of UbiOps' client library for Python.
 */
export function createResourceOperations(options: ProtocolOptions): readonly Operation[] {
  return [
    ...createProjectOperations(options),
    ...KINDS.flatMap((kind) => createKindOperations(kind, options)),
  ];
}

function createProjectOperations({ inference }: ProtocolOptions): readonly Operation[] {
  return [
    {
      method: 'GET',
      path: `${API}/status`,
      summary: 'Check the health of the server, as on UbiOps',
      response: jsonContent(schemas.statusResponse),
      handle: async () => {
        await inference.checkRuntime();
        return jsonResponse({ status: 'ok' });
      },
    },
    {
      method: 'GET',
      path: PROJECTS,
      summary: 'List the only project',
      response: jsonContent(schemas.projectsResponse),
      handle: () => jsonResponse([describeProject('default')]),
    },
    {
      method: 'GET',
      path: `${PROJECTS}/{project}`,
      summary: 'Describe a project, under any name',
      response: jsonContent(schemas.projectResponse),
      handle: (c) => jsonResponse(describeProject(c.req.param('project') ?? '')),
    },
  ];
}

function createKindOperations(kind: Kind, options: ProtocolOptions): readonly Operation[] {
  const { config, inference } = options;
  const path = pathOfKind(kind);
  const find = async (c: Context<AppEnvironment>) => {
    const name = c.req.param(kind) ?? '';
    const choice = modelOfEndpoint(name, config, c.req.param('version'));
    return await findEndpoint(name, choice, inference.repository, c.env.budget);
  };
  return [
    {
      method: 'GET',
      path,
      summary: `Models as ${kind}s`,
      query: schemas.labelsQuery,
      response: jsonContent(schemas.listResponse),
      handle: async (c) => {
        // Users of UbiOps set labels; models here have no labels.
        const isFiltered = (c.req.query('labels') ?? '') !== '';
        const found = isFiltered ? [] : await listEndpoints(options, c.env.budget);
        return jsonResponse(found.map((each) => describe(each, c)));
      },
    },
    {
      method: 'GET',
      path: `${path}/{${kind}}`,
      summary: `Describe a model as a ${kind}, with its fields`,
      response: jsonContent(schemas.detailResponse),
      handle: async (c) => {
        const endpoint = await find(c);
        const reference = { name: endpoint.model.name, version: endpoint.version };
        const { value: fields, usage } = await inference.use({ reference }, c.env, ({ model }) =>
          encodeFields(model),
        );
        const body = { ...describe(endpoint, c), default_version: endpoint.version, ...fields };
        return { response: jsonResponse(body), usage };
      },
    },
    {
      method: 'GET',
      path: `${path}/{${kind}}/versions`,
      summary: `List the versions of a model as those of a ${kind}`,
      query: schemas.labelsQuery,
      response: jsonContent(schemas.versionsResponse),
      handle: async (c) => {
        const endpoint = await find(c);
        const isFiltered = (c.req.query('labels') ?? '') !== '';
        const versions = isFiltered ? [] : endpoint.model.versions;
        return jsonResponse(versions.map((version) => describeVersion(kind, endpoint, version)));
      },
    },
    {
      method: 'GET',
      path: `${path}/{${kind}}/versions/{version}`,
      summary: `Describe one version of a model as that of a ${kind}`,
      response: jsonContent(schemas.versionResponse),
      handle: async (c) => {
        const { name, model, version } = await find(c);
        const named = config.endpointModels.get(name);
        const usual = named && (await findEndpoint(name, named, inference.repository, c.env.budget));
        const endpoint = usual ?? { name, model, version: model.liveVersion };
        return jsonResponse(describeVersion(kind, endpoint, version));
      },
    },
  ];
}

function describeProject(name: string) {
  return {
    id: name,
    name,
    creation_date: STARTED,
    organization_name: 'ternion',
    labels: {},
    suspended: false,
  };
}

/** Its input is always an object of fields; a field can be a text or an image. */
function describe({ name }: Endpoint, c: Context<AppEnvironment>) {
  return {
    id: name,
    name,
    project: c.req.param('project') ?? '',
    description: '',
    input_type: 'structured',
    output_type: 'structured',
    // The client does not accept a pipeline without them; only a loaded model has them.
    input_fields: [],
    output_fields: [],
    supports_request_format: true,
    labels: {},
    creation_date: STARTED,
    last_updated: STARTED,
  };
}

/** @param endpoint with the version that answers requests without a version */
function describeVersion(kind: Kind, { name, version: usual }: Endpoint, version: string): WritableJson {
  return {
    id: `${name}/${version}`,
    [kind]: name,
    version,
    default: version === usual,
    description: '',
    ...(kind === 'deployment' && { status: 'available' }),
    labels: {},
    creation_date: STARTED,
    last_updated: STARTED,
    request_retention_mode: 'none',
    request_retention_time: 0,
  };
}
