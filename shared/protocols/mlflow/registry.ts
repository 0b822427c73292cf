import type { Context } from 'hono';
import { InferenceError } from '../../errors.ts';
import type { AppEnvironment } from '../../http/context.ts';
import { jsonResponse } from '../../http/respond.ts';
import { holderOf } from '../../http/secret.ts';
import type { WritableJson } from '../../json/write-json.ts';
import {
  createModel,
  deleteModel,
  deleteModelTag,
  describeModelAs,
  renameModel,
  setModelTag,
} from '../../registry/models.ts';
import { registerVersion } from '../../registry/register.ts';
import type { RegisteredModel, RegisteredVersion } from '../../registry/registered.ts';
import type { Caller, Registry } from '../../registry/registry.ts';
import { type FilterRules, parseFilter } from '../../registry/search/filter.ts';
import {
  findMatches,
  type Order,
  pageOf,
  parseOrder,
  type Searched,
  sortBy,
} from '../../registry/search/search.ts';
import {
  deleteAlias,
  deleteVersion,
  deleteVersionTag,
  describeVersionAs,
  type FoundVersion,
  getByAlias,
  getVersion,
  latestVersions,
  moveToStage,
  readStage,
  setAlias,
  setVersionTag,
} from '../../registry/versions.ts';
import { StoreError } from '../../stores/model-store.ts';
import { answerOtherMethod } from '../mount.ts';
import { RELEASES } from '../route-table.ts';
import {
  answerModel,
  type Call,
  encodeModel,
  encodeVersion,
  type Fields,
  pageSize,
  placeOf,
  readFields,
} from './registry-fields.ts';
import { RELEASE_CALLS } from './releases.ts';

const MLFLOW = '/api/2.0/mlflow/';

/** Source: the services in mlflow/protos/model_registry.proto, as MlflowClient 3.17.2 calls them. */
const CALLS: Readonly<Record<string, Readonly<Record<string, Call>>>> = {
  [`${MLFLOW}registered-models/create`]: {
    POST: async (registry, fields, caller) => {
      const [name, description] = [fields.text('name'), fields.optional('description')];
      return answerModel(
        registry,
        await createModel(registry, caller, { name, description, tags: fields.tags() }),
      );
    },
  },
  [`${MLFLOW}registered-models/get`]: {
    GET: async (registry, fields) => answerModel(registry, await registry.models.get(fields.text('name'))),
  },
  [`${MLFLOW}registered-models/rename`]: {
    POST: async (registry, fields, caller) =>
      answerModel(
        registry,
        await renameModel(registry, caller, fields.text('name'), fields.text('new_name')),
      ),
  },
  [`${MLFLOW}registered-models/update`]: {
    PATCH: async (registry, fields, caller) => {
      const [name, description] = [fields.text('name'), fields.optional('description')];
      return answerModel(registry, await describeModelAs(registry, caller, name, description));
    },
  },
  [`${MLFLOW}registered-models/delete`]: {
    DELETE: done((registry, fields, caller) => deleteModel(registry, caller, fields.text('name'))),
  },
  [`${MLFLOW}registered-models/search`]: { GET: searchModels },
  [`${MLFLOW}registered-models/set-tag`]: {
    POST: done((registry, fields, caller) =>
      setModelTag(registry, caller, fields.text('name'), fields.text('key'), fields.optional('value') ?? ''),
    ),
  },
  [`${MLFLOW}registered-models/delete-tag`]: {
    DELETE: done((registry, fields, caller) =>
      deleteModelTag(registry, caller, fields.text('name'), fields.text('key')),
    ),
  },
  [`${MLFLOW}registered-models/alias`]: {
    POST: done((registry, fields, caller) =>
      setAlias(registry, caller, fields.text('name'), fields.text('alias'), fields.text('version')),
    ),
    GET: async (registry, fields) =>
      answerVersion(registry, await getByAlias(registry, fields.text('name'), fields.text('alias'))),
    DELETE: done((registry, fields, caller) =>
      deleteAlias(registry, caller, fields.text('name'), fields.text('alias')),
    ),
  },
  [`${MLFLOW}registered-models/get-latest-versions`]: { POST: listLatest, GET: listLatest },
  [`${MLFLOW}model-versions/create`]: {
    POST: async (registry, fields, caller) =>
      answerVersion(
        registry,
        await registerVersion(registry, caller, {
          name: fields.text('name'),
          source: fields.text('source'),
          runId: fields.optional('run_id'),
          runLink: fields.optional('run_link'),
          modelId: fields.optional('model_id'),
          description: fields.optional('description'),
          tags: fields.tags(),
        }),
      ),
  },
  [`${MLFLOW}model-versions/get`]: {
    GET: async (registry, fields) =>
      answerVersion(registry, await getVersion(registry, fields.text('name'), fields.text('version'))),
  },
  [`${MLFLOW}model-versions/update`]: {
    PATCH: async (registry, fields, caller) => {
      const { name, version } = versionIn(fields);
      const description = fields.optional('description');
      return answerVersion(registry, await describeVersionAs(registry, caller, name, version, description));
    },
  },
  [`${MLFLOW}model-versions/delete`]: {
    DELETE: done((registry, fields, caller) =>
      deleteVersion(registry, caller, fields.text('name'), fields.text('version')),
    ),
  },
  [`${MLFLOW}model-versions/search`]: { GET: searchVersions },
  [`${MLFLOW}model-versions/set-tag`]: {
    POST: done((registry, fields, caller) =>
      setVersionTag(registry, caller, {
        ...versionIn(fields),
        key: fields.text('key'),
        value: fields.optional('value') ?? '',
      }),
    ),
  },
  [`${MLFLOW}model-versions/delete-tag`]: {
    DELETE: done((registry, fields, caller) =>
      deleteVersionTag(registry, caller, { ...versionIn(fields), key: fields.text('key') }),
    ),
  },
  [`${MLFLOW}model-versions/transition-stage`]: {
    POST: async (registry, fields, caller) => {
      const stage = readStage(fields.text('stage'));
      const archives = fields.flag('archive_existing_versions');
      return answerVersion(registry, await moveToStage(registry, caller, versionIn(fields), stage, archives));
    },
  },
  [`${MLFLOW}model-versions/get-download-uri`]: {
    GET: async (registry, fields) => {
      const { model, found } = await getVersion(registry, fields.text('name'), fields.text('version'));
      return { artifact_uri: placeOf(model, found.version, registry.store.url) };
    },
  },
  ...Object.fromEntries(Object.entries(RELEASE_CALLS).map(([name, calls]) => [`${RELEASES}/${name}`, calls])),
};

/** A call whose answer has nothing in it. */
function done(work: (registry: Registry, fields: Fields, caller: Caller) => Promise<void>): Call {
  return async (registry, fields, caller) => {
    await work(registry, fields, caller);
    return {};
  };
}

function versionIn(fields: Fields): { readonly name: string; readonly version: string } {
  return { name: fields.text('name'), version: fields.text('version') };
}

function answerVersion({ store }: Registry, { model, found }: FoundVersion): WritableJson {
  return { model_version: encodeVersion(model, found, store.url) };
}

async function listLatest(registry: Registry, fields: Fields): Promise<WritableJson> {
  const model = await registry.models.get(fields.text('name'));
  const stages = fields.texts('stages').map(readStage);
  const latest = latestVersions(model, stages.length > 0 ? stages : undefined);
  const versions = latest.map((version) => encodeVersion(model, version, registry.store.url));
  return versions.length > 0 ? { model_versions: versions } : {};
}

const MODEL_RULES: FilterRules = { texts: ['name'], listed: ['name'], numbers: [] };
const MODEL_ORDERS = new Map([
  ['name', 'name'],
  ['timestamp', 'updated'],
  ['last_updated_timestamp', 'updated'],
]);

async function searchModels(registry: Registry, fields: Fields): Promise<WritableJson> {
  const clauses = parseFilter(fields.optional('filter') ?? '', MODEL_RULES);
  const orders = parseOrder(fields.texts('order_by'), MODEL_ORDERS);
  const size = pageSize(fields, 100, 1000);
  const describe = ({ name, current: { card } }: RegisteredModel): Searched => ({
    attributes: { name, updated: card.updatedMs ?? card.createdMs ?? 0 },
    tags: card.tags,
  });
  const found = findMatches(await registry.models.list(), clauses, describe);
  const sorted = sortBy(found, [...orders, BY_NAME], describe);
  const { items, nextPageToken } = pageOf(sorted, size, fields.optional('page_token'));
  return {
    registered_models:
      items.length > 0 ? items.map((model) => encodeModel(model, registry.store.url)) : undefined,
    next_page_token: nextPageToken,
  };
}

const VERSION_RULES: FilterRules = {
  texts: ['name', 'run_id', 'source_path'],
  listed: ['name', 'run_id'],
  numbers: ['version_number'],
};
const VERSION_ORDERS = new Map([
  ['name', 'name'],
  ['version_number', 'version_number'],
  ['creation_timestamp', 'created'],
  ['last_updated_timestamp', 'updated'],
]);
const BY_NAME: Order = { key: 'name', isDescending: false };
const NEWEST: Order = { key: 'updated', isDescending: true };
const HIGHEST: Order = { key: 'place', isDescending: true };

interface SearchedVersion extends FoundVersion {
  /** Its place among the versions of its model. */
  readonly place: number;
}

async function searchVersions(registry: Registry, fields: Fields): Promise<WritableJson> {
  const { url } = registry.store;
  const clauses = parseFilter(fields.optional('filter') ?? '', VERSION_RULES);
  const orders = parseOrder(fields.texts('order_by'), VERSION_ORDERS);
  const size = pageSize(fields, 10_000, 200_000);
  const describe = ({ model, found, place }: SearchedVersion): Searched => ({
    attributes: {
      name: model.name,
      run_id: found.card.runId ?? '',
      source_path: found.card.source ?? placeOf(model, found.version, url),
      version_number: numberOf(found),
      created: found.card.createdMs ?? 0,
      updated: found.card.updatedMs ?? found.card.createdMs ?? 0,
      place,
    },
    tags: found.card.tags,
  });
  const named = clauses.find(({ attribute, comparator }) => attribute === 'name' && comparator === '=');
  const models = named ? [await registry.models.find(String(named.value))] : await registry.models.list();
  const versions = models.flatMap(
    (model) => model?.versions.map((found, place) => ({ model, found, place })) ?? [],
  );
  const matches = findMatches(versions, clauses, describe);
  const sorted = sortBy(matches, [...(orders.length > 0 ? orders : [NEWEST]), BY_NAME, HIGHEST], describe);
  const { items, nextPageToken } = pageOf(sorted, size, fields.optional('page_token'));
  return {
    model_versions:
      items.length > 0 ? items.map(({ model, found }) => encodeVersion(model, found, url)) : undefined,
    next_page_token: nextPageToken,
  };
}

/** The number that a version begins with; -1 for one with a name. */
function numberOf({ version }: RegisteredVersion): number {
  return Number(/^v?(\d{1,15})/.exec(version)?.[1] ?? -1);
}

/** Who may use the registry, and how it is opened. */
export interface RegistryAccess {
  readonly adminKey: string | undefined;
  readonly open: () => Promise<Registry>;
}

/**
 * Answers a call of MLflow's registry, or of what it lacks. An error has MLflow's form.
 *
 * @throws InferenceError
 */
export async function answerRegistry(
  c: Context<AppEnvironment>,
  { adminKey, open }: RegistryAccess,
): Promise<Response> {
  const { method, path } = c.req;
  const calls = Object.hasOwn(CALLS, path) ? CALLS[path] : undefined;
  if (calls === undefined) throw noCall(path, adminKey !== undefined);
  const call = Object.hasOwn(calls, method) ? calls[method] : undefined;
  if (call === undefined) return answerOtherMethod(c, Object.keys(calls));
  if (adminKey === undefined) throw switchedOff();
  const holder = holderOf(c.req.raw.headers, adminKey, true);
  if (!holder) throw wrongKey();
  const fields = await readFields(c);
  try {
    return jsonResponse(
      await call(await open(), fields, { by: holder.user ?? 'admin', workMs: c.env.budget.workMs() }),
    );
  } catch (error) {
    throw error instanceof StoreError && error.reason === 'denied' && method !== 'GET'
      ? notWritable(error)
      : error;
  }
}

function switchedOff(): InferenceError {
  return new InferenceError(
    'ENDPOINT_NOT_FOUND',
    'The registry of this server is switched off. Its operator can set ADMIN_KEY, and programs send that key as their token.',
  );
}

function noCall(path: string, isOn: boolean): InferenceError {
  if (!isOn) return switchedOff();
  return new InferenceError(
    'ENDPOINT_NOT_FOUND',
    `There is nothing at ${JSON.stringify(path.slice(0, 100))}: of MLflow, this server has the registry of models, without runs and experiments.`,
  );
}

function wrongKey(): InferenceError {
  return new InferenceError(
    'UNAUTHENTICATED',
    'The registry needs the ADMIN_KEY of this server, as "Authorization: Bearer" or as the password of "Basic". MLflow sends MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.',
    { headers: { 'www-authenticate': 'Bearer realm="registry", Basic realm="registry"' } },
  );
}

function notWritable(error: StoreError): InferenceError {
  return new InferenceError(
    'PERMISSION_DENIED',
    'This server may not write to its model repository; its operator can allow that.',
    { cause: error },
  );
}
