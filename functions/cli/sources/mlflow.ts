import { stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod/mini';
import { isPrivate } from '../../../shared/azure/tokens.ts';
import { parseMembers } from '../../../shared/json/members.ts';
import type { Lineage } from '../../../shared/models/lineage.ts';
import { CommandError } from '../console.ts';
import { withoutSecrets } from '../lineage/place.ts';
import { openRepository } from '../open-repository.ts';
import { type MlflowAddress, parseMlflowAddress } from './mlflow-address.ts';
import { listMlflowArtifacts, openMlflowArtifacts } from './mlflow-artifacts.ts';
import { checkFiles } from './remote-files.ts';
import type { LocalModel, RemoteModel } from './remote-model.ts';
import {
  openSourceServer,
  type Refusal,
  type SourceServer,
  type SourceServerOptions,
} from './source-server.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Bytes of one request to an object store. */
const PART_BYTES = 64 * 1024 * 1024;

const versionSchema = z.object({
  name: z.string(),
  version: z.string(),
  run_id: z.nullish(z.string()),
  status: z.optional(z.string()),
  status_message: z.optional(z.string()),
});
const oneVersion = z.object({ model_version: versionSchema });
const someVersions = z.object({ model_versions: z._default(z.array(versionSchema), []) });
const downloadSchema = z.object({ artifact_uri: z.string() });
const loggedSchema = z.object({
  model: z.object({
    info: z.object({ name: z.string(), artifact_uri: z.string(), source_run_id: z.nullish(z.string()) }),
  }),
});
const runSchema = z.object({
  run: z.object({
    info: z.object({ artifact_uri: z.string() }),
    outputs: z.nullish(
      z.object({ model_outputs: z._default(z.array(z.object({ model_id: z.string() })), []) }),
    ),
  }),
});

/** Where the files of a model are, as MLflow says it. */
interface Located {
  readonly uri: string;
  readonly name: string;
  /** In messages. */
  readonly what: string;
  readonly mlflow: NonNullable<Lineage['mlflow']>;
}

/**
 * Finds the files of a model by its URI in MLflow. `MLFLOW_TRACKING_URI` and the variables for a token or a user mean
 * the same as for MLflow's own client.
 *
 * Source: the requests of MlflowClient 3.17.2, and MLflow's REST API.
 *
 * @throws CommandError, StoreError
 */
export async function locateInMlflow(
  address: string,
  environment: Environment = process.env,
  options: Pick<SourceServerOptions, 'silenceMs' | 'wait'> = {},
): Promise<RemoteModel | LocalModel> {
  const asked = parseMlflowAddress(address);
  const server = openMlflow(environment, options);
  const { uri, name, what, mlflow } = await locate(server, asked);
  const origin = withoutSecrets(server.base.href)?.replace(/\/$/, '');
  const lineage = { source: address, mlflow: { ...(origin !== undefined && { server: origin }), ...mlflow } };
  const common = { title: address, what, name, lineage };
  const path = artifactPathOf(uri, server, what);
  if (path !== undefined) {
    const files = await listMlflowArtifacts(server, path, what);
    const found =
      files.length > 0 || asked.is !== 'run' ? { path, files } : await findLogged(server, asked, what);
    if (found.files.length === 0) throw new CommandError(`${what} has no files on ${server.title}.`);
    const store = openMlflowArtifacts(server, found.path, found.files);
    // Without a hash, a file comes in one piece, so that all of it is one content.
    return { ...common, files: found.files, store, partBytes: Number.MAX_SAFE_INTEGER };
  }
  const folder = await localFolderOf(uri, server, what);
  if (folder !== undefined) return { ...common, path: folder };
  const store = openRepository(repositoryOf(uri, what));
  const files = checkFiles(await store.list(''), what);
  return { ...common, files, store, partBytes: PART_BYTES };
}

function openMlflow(
  environment: Environment,
  options: Pick<SourceServerOptions, 'silenceMs' | 'wait'>,
): SourceServer {
  const given = environment.MLFLOW_TRACKING_URI?.trim() ?? '';
  const url = URL.parse(`${given.replace(/\/+$/, '')}/`);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new CommandError(
      given === ''
        ? 'Set MLFLOW_TRACKING_URI to the address of the MLflow server, such as http://localhost:5000.'
        : 'MLFLOW_TRACKING_URI must be the address of an MLflow server, of https:// or http://.',
      2,
    );
  const {
    MLFLOW_TRACKING_TOKEN: token = '',
    MLFLOW_TRACKING_USERNAME: user = decodeURIComponent(url.username),
    MLFLOW_TRACKING_PASSWORD: password = decodeURIComponent(url.password),
  } = environment;
  const base = new URL(url);
  Object.assign(base, { username: '', password: '', search: '', hash: '' });
  const basic = Buffer.from(`${user}:${password}`).toString('base64');
  return openSourceServer({
    title: base.host,
    base,
    // As in MLflow's client, a user counts before a token.
    authorization: user !== '' ? `Basic ${basic}` : token !== '' ? `Bearer ${token}` : undefined,
    explain: (refusal) => explain(refusal, base.host),
    ...options,
  });
}

function explain({ status, text, what }: Refusal, host: string): string | undefined {
  const { message } = parseMembers(text);
  const said = typeof message === 'string' ? ` MLflow: ${message.slice(0, 300)}` : '';
  if (status === 401 || status === 403)
    return `${host} does not give ${what} (status ${status}): set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.${said}`;
  if (status === 503 && text.includes('serve-artifacts'))
    return `${host} does not give files of models: it was started with --no-serve-artifacts.`;
  // An alias that does not exist is a wrong parameter for MLflow.
  if (status === 404 || (status === 400 && /not found/i.test(said)))
    return `${what} does not exist on ${host}.${said}`;
  return status < 500 && status !== 429 && said !== '' ? `${host} refuses ${what}.${said}` : undefined;
}

const apiOf = ({ base }: SourceServer, path: string, query: Readonly<Record<string, string>> = {}) =>
  new URL(`api/2.0/mlflow/${path}?${new URLSearchParams(query)}`, base);

async function locate(server: SourceServer, asked: MlflowAddress): Promise<Located> {
  if (asked.is === 'run') {
    const { run, path } = asked;
    const what = `${path} of run ${run}`;
    const { info } = await getRun(server, run);
    return {
      uri: joinUri(info.artifact_uri, path),
      name: posix.basename(path),
      what,
      mlflow: { runId: run },
    };
  }
  if (asked.is === 'logged') {
    const { name, artifact_uri: uri, source_run_id: runId } = await getLogged(server, asked.id);
    const mlflow = { modelUuid: asked.id, ...(runId && { runId }) };
    return { uri, name, what: `model ${asked.id}`, mlflow };
  }
  const {
    name,
    version,
    run_id: runId,
    status = READY,
    status_message: said,
  } = await findVersion(server, asked);
  const what = `version ${version} of ${JSON.stringify(name)}`;
  if (status !== READY)
    throw new CommandError(`${what} is not ready on ${server.title}: ${status}${said ? ` (${said})` : ''}.`);
  const query = { name, version };
  const { value } = await server.ask(
    apiOf(server, 'model-versions/get-download-uri', query),
    what,
    downloadSchema,
  );
  return { uri: value.artifact_uri, name, what, mlflow: { name, version, ...(runId && { runId }) } };
}

const READY = 'READY';

async function findVersion(
  server: SourceServer,
  asked: Extract<MlflowAddress, { readonly name: string }>,
): Promise<z.infer<typeof versionSchema>> {
  const { name } = asked;
  const shown = JSON.stringify(name);
  if (asked.is === 'version') {
    const query = { name, version: asked.version };
    const url = apiOf(server, 'model-versions/get', query);
    return (await server.ask(url, `version ${asked.version} of ${shown}`, oneVersion)).value.model_version;
  }
  if (asked.is === 'alias') {
    const url = apiOf(server, 'registered-models/alias', { name, alias: asked.alias });
    return (await server.ask(url, `alias ${JSON.stringify(asked.alias)} of ${shown}`, oneVersion)).value
      .model_version;
  }
  const { stage } = asked;
  const what = `the latest version of ${shown}`;
  const body = { name, ...(stage !== undefined && { stages: [stage] }) };
  const { value } = await server.ask(
    apiOf(server, 'registered-models/get-latest-versions'),
    what,
    someVersions,
    body,
  );
  const [latest] = value.model_versions.toSorted((a, b) => Number(b.version) - Number(a.version));
  if (latest !== undefined) return latest;
  const inStage = stage === undefined ? '' : ` in stage ${JSON.stringify(stage)}`;
  throw new CommandError(`${shown} has no version${inStage} on ${server.title}.`);
}

async function getRun(server: SourceServer, run: string): Promise<z.infer<typeof runSchema>['run']> {
  return (await server.ask(apiOf(server, 'runs/get', { run_id: run }), `run ${run}`, runSchema)).value.run;
}

async function getLogged(server: SourceServer, id: string) {
  const url = apiOf(server, `logged-models/${encodeURIComponent(id)}`);
  return (await server.ask(url, `model ${id}`, loggedSchema)).value.model.info;
}

/** Since MLflow 3, the models of a run are not among its artifacts. */
async function findLogged(
  server: SourceServer,
  { run, path }: Extract<MlflowAddress, { is: 'run' }>,
  what: string,
) {
  const [wanted, ...below] = path.split('/');
  for (const { model_id: id } of (await getRun(server, run)).outputs?.model_outputs ?? []) {
    const { name, artifact_uri: uri } = await getLogged(server, id);
    const root = name === wanted ? artifactPathOf(joinUri(uri, below.join('/')), server, what) : undefined;
    if (root !== undefined) return { path: root, files: await listMlflowArtifacts(server, root, what) };
  }
  return { path, files: [] };
}

function joinUri(uri: string, path: string): string {
  return path === '' ? uri : `${uri.replace(/\/+$/, '')}/${path}`;
}

/** The path of artifacts that the server itself gives; undefined for those that are elsewhere. */
function artifactPathOf(uri: string, { base, title }: SourceServer, what: string): string | undefined {
  const [, host = '', path] = /^mlflow-artifacts:(?:\/\/([^/]*))?\/*(.*)$/i.exec(uri) ?? [];
  if (path === undefined) return undefined;
  // It would get the token of the tracking server.
  if (host === '' || host === base.host) return path.replace(/\/+$/, '');
  throw new CommandError(`The files of ${what} are on ${host}, which is not the MLflow server ${title}.`);
}

/**
 * A folder that the server names, if the server is on this machine: one elsewhere must not choose which files of this
 * machine are published.
 */
async function localFolderOf(
  uri: string,
  { base, title }: SourceServer,
  what: string,
): Promise<string | undefined> {
  const isUrl = /^file:/i.test(uri);
  if (!isUrl && !uri.startsWith('/')) return undefined;
  if (base.protocol !== 'https:' && isPrivate(base)) {
    const path = isUrl ? fileURLToPath(uri) : uri;
    if ((await stat(path).catch(() => undefined))?.isDirectory()) return path;
  }
  throw new CommandError(
    `The files of ${what} are in a folder of the machine of ${title}, and not served; name that folder on this machine, or start the server with --serve-artifacts.`,
  );
}

/** The URL of a bucket or container as Ternion writes it. */
function repositoryOf(uri: string, what: string): string {
  if (/^(?:s3|gs):\/\//i.test(uri)) return uri;
  const [, container, account, path] =
    /^(?:wasbs?|abfss?):\/\/([^@/]+)@([^./]+)\.(?:blob|dfs)\.core\.windows\.net\/?(.*)$/i.exec(uri) ?? [];
  if (account !== undefined) return `az://${account}.blob.core.windows.net/${container}/${path}`;
  throw new CommandError(
    `The files of ${what} are at an address of ${/^[a-z][\w+.-]*:/i.exec(uri)?.[0] ?? 'another kind'}; files can be with MLflow itself (mlflow-artifacts:), at s3://, gs:// or wasbs://, or in a folder of this machine.`,
  );
}
