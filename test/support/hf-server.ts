import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { faultOf, listen, sendPart } from './send-part.ts';
import { type StoreFault, StoreFaults } from './store-faults.ts';

/** A request for a file, on the Hub or on the host with contents that it leads to. */
export interface HubRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
  sentBytes: number;
}

export interface HubServer {
  readonly url: string;
  /** Of the host with the contents in LFS. */
  readonly contentUrl: string;
  readonly commit: string;
  readonly requests: HubRequest[];
  readonly contentRequests: HubRequest[];
  readonly files: Map<string, Buffer>;
  addFault(fault: StoreFault<HubRequest>): void;
  clearFaults(): void;
  close(): Promise<void>;
}

export interface HubServerOptions {
  readonly repo?: string;
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** Files with these endings are in LFS: the Hub leads to another host for them. */
  readonly lfs?: RegExp;
  /** Who may read the repository. */
  readonly token?: string;
  readonly isGated?: boolean;
  /** The repository has this name now, and requests for the first one are led to it. */
  readonly newName?: string;
  /** Entries of one page of the list of files. */
  readonly pageSize?: number;
  /** Where the next page is said to be. */
  readonly pageHost?: string;
  /** What the list says of a file instead. */
  readonly listed?: (path: string) => string;
}

const COMMIT = '89abcdef0123456789abcdef0123456789abcdef';

/**
 * One repository of the Hugging Face Hub, with its API as far as a download needs it: a revision, its files in pages, and
 * their contents, of which those in LFS are on another host. Recorded from huggingface.co: status codes, `x-error-code`,
 * the header `link`, and the members of the answers.
 */
export async function startHubServer(options: HubServerOptions): Promise<HubServer> {
  const { repo = 'owner/flowers', lfs = /\.onnx(?:_data)?$/ } = options;
  const files = new Map(Object.entries(options.files).map(([path, each]) => [path, Buffer.from(each)]));
  const requests: HubRequest[] = [];
  const contentRequests: HubRequest[] = [];
  const faults = new StoreFaults<HubRequest>();
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  /** What the list said, although a content may change later. */
  const entries = [...files].map(([path, bytes]) => {
    const name = options.listed?.(path) ?? path;
    const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
    const pointer = lfs.test(path) && { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } };
    return { type: 'file', path: name, oid, size: bytes.length, ...pointer };
  });
  const folders = [{ type: 'directory', path: 'onnx', oid: COMMIT, size: 0 }];

  const contents = await listen((message, response) => answerContent(message, response));
  const hub = await listen((message, response) => answer(message, response));

  async function answerContent(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = toRequest(message);
    contentRequests.push(request);
    const effect = await faultOf(faults.take(request), response);
    if (effect === 'ended') return;
    const bytes = files.get(decodeURIComponent(request.path.slice(1).replace(/\?.*/, '')));
    if (bytes === undefined) return void response.writeHead(404).end();
    await sendPart(request, response, bytes, effect);
  }

  async function answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = toRequest(message);
    requests.push(request);
    const effect = await faultOf(faults.take(request), response);
    if (effect === 'ended') return;
    const { pathname, searchParams } = new URL(request.path, hub.url);
    const refuse = (status: number, code: string) =>
      void response.writeHead(status, { 'x-error-code': code }).end(JSON.stringify({ error: code }));
    const isAllowed = options.token === undefined || request.authorization === `Bearer ${options.token}`;
    const name = options.newName ?? repo;
    if (options.newName !== undefined && pathname.startsWith(`/api/models/${repo}/`))
      return void response.writeHead(307, { location: request.path.replace(repo, name) }).end();
    const [, below] = pathname.split(`/api/models/${name}/`);
    const [, file] = pathname.split(`/${name}/resolve/${COMMIT}/`);
    if (below === undefined && file === undefined) return refuse(401, 'RepoNotFound');
    if (!isAllowed && !(options.isGated === true && below?.startsWith('revision/')))
      return options.isGated ? refuse(403, 'GatedRepo') : refuse(401, 'RepoNotFound');
    if (below?.startsWith('revision/')) {
      const revision = decodeURIComponent(below.slice('revision/'.length));
      if (!['main', 'v1', 'refs/pr/1', COMMIT].includes(revision)) return refuse(404, 'RevisionNotFound');
      return void response.end(JSON.stringify({ id: name, sha: COMMIT, siblings: [] }));
    }
    if (below === `tree/${COMMIT}`) return sendPage(response, Number(searchParams.get('cursor') ?? 0));
    const bytes = files.get(decodeURIComponent(file ?? ''));
    if (file === undefined || bytes === undefined) return refuse(404, 'EntryNotFound');
    if (lfs.test(decodeURIComponent(file))) {
      const location = `${contents.url}/${encodeURIComponent(decodeURIComponent(file))}?signature=secret`;
      return void response.writeHead(302, { location, 'x-repo-commit': COMMIT }).end();
    }
    await sendPart(request, response, bytes, effect);
  }

  function sendPage(response: ServerResponse, start: number): void {
    const all = [...folders, ...entries];
    const { pageSize = 1000, pageHost = hub.url } = options;
    const end = start + pageSize;
    const next = `${pageHost}/api/models/${options.newName ?? repo}/tree/${COMMIT}?recursive=true&cursor=${end}`;
    response.writeHead(200, end < all.length ? { link: `<${next}>; rel="next"` } : {});
    response.end(JSON.stringify(all.slice(start, end)));
  }

  return {
    url: hub.url,
    contentUrl: contents.url,
    commit: COMMIT,
    requests,
    contentRequests,
    files,
    addFault: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    close: async () => {
      await Promise.all([hub.close(), contents.close()]);
    },
  };
}

function toRequest({ url = '', headers }: IncomingMessage): HubRequest {
  return { path: url, range: headers.range, authorization: headers.authorization, sentBytes: 0 };
}
