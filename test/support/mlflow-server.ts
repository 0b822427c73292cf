import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { faultOf, listen, sendPart } from './send-part.ts';
import { type StoreFault, StoreFaults } from './store-faults.ts';

export interface MlflowRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
  sentBytes: number;
}

export interface MlflowServer {
  readonly url: string;
  readonly requests: MlflowRequest[];
  /** Contents by their paths among all artifacts. */
  readonly files: Map<string, Buffer>;
  addFault(fault: StoreFault<MlflowRequest>): void;
  close(): Promise<void>;
}

export interface MlflowServerOptions {
  /** Of the registered model; by default `iris`. */
  readonly name?: string;
  /** Files of the model, below its folder. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** Where the server says that the files are; by default with itself. */
  readonly artifactUri?: string;
  /** What a request must have as `authorization`. */
  readonly authorization?: string;
  /** Whether it gives parts of files, and names of contents; servers before MLflow 3 do not. */
  readonly hasParts?: boolean;
  readonly servesArtifacts?: boolean;
  readonly status?: string;
  /** A path that the list of files has besides. */
  readonly oddPath?: string;
}

export const RUN = '91cd99b771674623881a4713dd32aa26';
export const LOGGED = 'm-f0014dec88f945598ef20ccb917e4353';
/** The model of the run, in two versions, of which the second is `champion` and in the stage `Staging`. */
const FOLDER = `0/models/${LOGGED}/artifacts`;

/**
 * An MLflow server with one registered model, as far as a download asks it. Recorded from MLflow 3.17.2: the
 * members of the answers, status codes and headers.
 */
export async function startMlflowServer(options: MlflowServerOptions): Promise<MlflowServer> {
  const { name: registered = 'iris', hasParts = true, servesArtifacts = true, status = 'READY' } = options;
  const files = new Map(
    Object.entries(options.files).map(([path, each]) => [`${FOLDER}/${path}`, Buffer.from(each)]),
  );
  const requests: MlflowRequest[] = [];
  const faults = new StoreFaults<MlflowRequest>();
  const artifactUri = options.artifactUri ?? `mlflow-artifacts:/${FOLDER}`;
  const versionOf = (version: string) => ({
    name: registered,
    version,
    run_id: RUN,
    status,
    current_stage: 'None',
  });

  /** The answer to a question about the registry; a text is what does not exist. */
  function ask(path: string, query: URLSearchParams, body: string): object | string {
    const name = query.get('name') ?? JSON.parse(body || '{}').name;
    if (path === 'runs/get' && query.get('run_id') === RUN) {
      const info = { run_id: RUN, artifact_uri: `mlflow-artifacts:/0/${RUN}/artifacts` };
      return { run: { info, outputs: { model_outputs: [{ model_id: LOGGED, step: 0 }] } } };
    }
    if (path === `logged-models/${LOGGED}`)
      return { model: { info: { name: 'flowers', artifact_uri: artifactUri, source_run_id: RUN } } };
    if (path.startsWith('runs/')) return `Run with id=${query.get('run_id')} not found`;
    if (path.startsWith('logged-models/')) return `Logged model with ID '${path.split('/')[1]}' not found.`;
    if (name !== registered) return `Registered Model with name=${name} not found`;
    if (path === 'registered-models/alias')
      return query.get('alias') === 'champion'
        ? { model_version: versionOf('2') }
        : `Registered model alias ${query.get('alias')} not found.`;
    if (path === 'registered-models/get-latest-versions') {
      const { stages = ['None', 'Staging'] } = JSON.parse(body);
      const found = [
        ...(stages.includes('None') ? [versionOf('10')] : []),
        ...(stages.includes('Staging') ? [versionOf('2')] : []),
      ];
      return found.length > 0 ? { model_versions: found.reverse() } : {};
    }
    const version = query.get('version') ?? '';
    if (!['1', '2', '10'].includes(version))
      return `Model Version (name=${name}, version=${version}) not found`;
    return path === 'model-versions/get'
      ? { model_version: versionOf(version) }
      : { artifact_uri: artifactUri };
  }

  function list(folder: string): object {
    const below = [...files.keys()].filter((path) => path.startsWith(`${folder}/`));
    const names = new Set(below.map((path) => path.slice(folder.length + 1).split('/')[0] ?? ''));
    const entries = [...names].map((path) => {
      const file = files.get(`${folder}/${path}`);
      return { path, is_dir: file === undefined, ...(file && { file_size: file.length }) };
    });
    const odd = options.oddPath === undefined ? [] : [{ path: options.oddPath, is_dir: false, file_size: 1 }];
    return entries.length > 0 ? { files: [...entries, ...odd] } : {};
  }

  async function answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url = '', headers } = message;
    const request = { path: url, range: headers.range, authorization: headers.authorization, sentBytes: 0 };
    requests.push(request);
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk);
    const effect = await faultOf(faults.take(request), response);
    if (effect === 'ended') return;
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    if (options.authorization !== undefined && headers.authorization !== options.authorization)
      return void response.writeHead(401).end('You are not authenticated.');
    const [, question] = pathname.split('/api/2.0/mlflow/');
    if (question !== undefined) {
      const found = ask(question, searchParams, Buffer.concat(chunks).toString());
      if (typeof found === 'object') return void response.end(JSON.stringify(found));
      const isAlias = found.includes('alias');
      const code = isAlias ? 'INVALID_PARAMETER_VALUE' : 'RESOURCE_DOES_NOT_EXIST';
      return void response
        .writeHead(isAlias ? 400 : 404)
        .end(JSON.stringify({ error_code: code, message: found }));
    }
    if (!servesArtifacts)
      return void response
        .writeHead(503)
        .end('Endpoint: list disabled due to the mlflow server running with `--no-serve-artifacts`.');
    const [, path = ''] = decodeURIComponent(pathname).split('/api/2.0/mlflow-artifacts/artifacts/');
    if (path === '') return void response.end(JSON.stringify(list(searchParams.get('path') ?? '')));
    const bytes = files.get(path);
    if (bytes === undefined)
      return void response.writeHead(404).end(JSON.stringify({ message: `No such artifact: '${path}'` }));
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
    const isSame = headers['if-range'] === undefined || headers['if-range'] === etag;
    const part = { ...request, range: hasParts && isSame ? request.range : undefined };
    await sendPart(part, response, bytes, effect, hasParts ? { etag } : {});
    request.sentBytes = part.sentBytes;
  }

  const server = await listen(answer);
  return { ...server, requests, files, addFault: (fault) => faults.add(fault) };
}
