import { posix } from 'node:path';
import * as z from 'zod/mini';
import { isPrivate } from '../../../shared/azure/tokens.ts';
import { StoreError } from '../../../shared/stores/model-store.ts';
import { CommandError } from '../console.ts';
import { checkFiles, MOST_FILES, openRemoteFiles, type RemoteFile } from './remote-files.ts';
import type { RemoteModel } from './remote-model.ts';
import {
  openSourceServer,
  type Refusal,
  type SourceServer,
  type SourceServerOptions,
} from './source-server.ts';

const ENDPOINT = 'https://huggingface.co';
const NAME = /^[A-Za-z0-9][\w.-]{0,95}$/;
/** Larger than a connection can lose much of, and smaller than what takes minutes. */
const PART_BYTES = 64 * 1024 * 1024;

export interface HubAddress {
  /** `owner/name` */
  readonly repo: string;
  readonly revision: string;
  /** Below the root of the repository; '' for the root. */
  readonly folder: string;
}

const revisionSchema = z.object({
  id: z.optional(z.string()),
  sha: z.string().check(z.regex(/^[0-9a-f]{40}$/, 'must be a commit of 40 hex digits')),
});

const size = z.int().check(z.minimum(0));
const hex = (digits: number) => z.string().check(z.regex(new RegExp(`^[0-9a-f]{${digits}}$`)));
const treeSchema = z.array(
  z.object({
    type: z.string(),
    path: z.string(),
    oid: z.string(),
    size: z._default(size, 0),
    lfs: z.nullish(z.object({ oid: hex(64), size })),
  }),
);

/**
 * Reads `hf://owner/repo[@revision][/folder]`. A revision with slashes is written with %2F, except for `refs/pr/1`.
 *
 * @throws CommandError
 */
export function parseHubAddress(address: string): HubAddress {
  const pattern = /^hf:\/\/([^/@]+)\/([^/@]+)(?:@(refs\/(?:convert|pr)\/[^/@]+|[^/@]+))?(?:\/(.*))?$/i;
  const [, owner = '', name = '', revision = 'main', path = ''] = pattern.exec(address) ?? [];
  const folder = path.replace(/\/+$/, '');
  const isFolder = folder === '' || folder.split('/').every((part) => !/^\.{0,2}$/.test(part));
  if (!NAME.test(owner) || !NAME.test(name) || !isFolder)
    throw new CommandError(
      `${JSON.stringify(address)} is not the address of a model; expected hf://owner/repo, hf://owner/repo@revision or hf://owner/repo@revision/folder.`,
      2,
    );
  return { repo: `${owner}/${name}`, revision: decode(revision), folder };
}

function decode(revision: string): string {
  try {
    return decodeURIComponent(revision);
  } catch {
    return revision;
  }
}

/**
 * Finds the files of a model on the Hugging Face Hub: the revision becomes a commit first, and all that follows is of
 * that commit. `HF_TOKEN` and `HF_ENDPOINT` mean the same as for Hugging Face's own tools.
 *
 * Source: the Hub's API, "Model repositories" and "Tree".
 *
 * @throws CommandError, StoreError
 */
export async function locateOnHub(
  address: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  options: Pick<SourceServerOptions, 'silenceMs' | 'wait'> = {},
): Promise<RemoteModel> {
  const asked = parseHubAddress(address);
  const server = openHub(asked, environment, options);
  const api = `api/models/${asked.repo}`;
  const what = `revision ${JSON.stringify(asked.revision)} of ${asked.repo}`;
  const revision = await server.ask(
    urlOf(server, `${api}/revision/${encodeURIComponent(asked.revision)}`),
    what,
    revisionSchema,
  );
  const { sha, id = '' } = revision.value;
  // It may have another name now.
  const repo = id.split('/').length === 2 && id.split('/').every((part) => NAME.test(part)) ? id : asked.repo;
  const listed = checkFiles(await listTree(server, repo, sha), `${repo} on ${server.title}`);
  const { folder } = asked;
  const prefix = folder === '' ? '' : `${folder}/`;
  if (listed.some(({ path }) => path === folder))
    throw new CommandError(
      `${JSON.stringify(address)} is a file; name its folder, and the graph with --file ${posix.basename(folder)}.`,
      2,
    );
  const files = listed
    .filter(({ path }) => path.startsWith(prefix))
    .map((file) => ({ ...file, path: file.path.slice(prefix.length) }));
  if (files.length === 0)
    throw new CommandError(`${what} has no ${folder === '' ? 'files' : `folder ${JSON.stringify(folder)}`}.`);
  const last = posix.basename(folder === 'onnx' ? '' : folder);
  return {
    title: address,
    what: `${repo} at ${sha.slice(0, 7)}`,
    name: last === '' ? posix.basename(repo) : last,
    lineage: { source: address, huggingFace: { repo, commit: sha } },
    files,
    store: openRemoteFiles({
      server,
      url: `${server.base.href}${repo}/tree/${sha}${folder === '' ? '' : `/${folder}`}`,
      files,
      urlOf: (path) => urlOf(server, `${repo}/resolve/${sha}/${escapePath(prefix + path)}`),
    }),
    partBytes: PART_BYTES,
  };
}

function openHub(
  { repo }: HubAddress,
  environment: Readonly<Record<string, string | undefined>>,
  options: Pick<SourceServerOptions, 'silenceMs' | 'wait'>,
): SourceServer {
  const { HF_ENDPOINT: given = '', HF_TOKEN: secret = '' } = environment;
  const base = URL.parse(`${(given.trim() || ENDPOINT).replace(/\/+$/, '')}/`);
  if (base === null || !/^https?:$/.test(base.protocol) || base.username !== '' || base.password !== '')
    throw new CommandError('HF_ENDPOINT must be an address of https:// or http://, without a user.', 2);
  const token = secret.trim();
  if (token !== '' && !isPrivate(base))
    throw new CommandError(`HF_TOKEN is not sent to ${base.origin}: it needs https://.`, 2);
  return openSourceServer({
    title: base.host,
    base,
    authorization: token === '' ? undefined : `Bearer ${token}`,
    explain: (refusal) => explain(refusal, repo, base.host, token !== ''),
    ...options,
  });
}

/** What the Hub means, by its header `x-error-code`. It does not say whether a repository that one may not see exists. */
function explain(
  { status, headers, what }: Refusal,
  repo: string,
  host: string,
  hasToken: boolean,
): string | undefined {
  const code = headers['x-error-code'];
  const page = `https://${host}/${repo}`;
  const signIn = hasToken
    ? 'the account of HF_TOKEN may not read it'
    : 'set HF_TOKEN to a token of an account that may read it';
  if (code === 'GatedRepo') {
    const accept = `its owners let only accounts read it that have accepted its conditions at ${page}`;
    return `${repo} is gated on ${host}: ${accept}; then ${hasToken ? 'run the command again with their HF_TOKEN' : 'set HF_TOKEN to a token of such an account'}.`;
  }
  if (code === 'RevisionNotFound') return `${what} does not exist on ${host}.`;
  if (code === 'EntryNotFound') return `${what} does not exist any more in ${repo} on ${host}.`;
  if (code === 'RepoNotFound' || status === 401 || status === 404)
    return `${repo} does not exist on ${host}, or is private: ${signIn}.`;
  if (status === 403) return `${host} does not give ${what}: ${signIn}.`;
  return undefined;
}

/** All files of a commit. The server has pages, each with the address of the next one. */
async function listTree(server: SourceServer, repo: string, sha: string): Promise<readonly RemoteFile[]> {
  const files: RemoteFile[] = [];
  const first = urlOf(server, `api/models/${repo}/tree/${sha}?recursive=true`);
  for (let next: URL | undefined = first; next !== undefined && files.length <= MOST_FILES; ) {
    const { value, headers } = await server.ask(next, `the files of ${repo}`, treeSchema);
    for (const { type, path, oid, size: sizeBytes, lfs } of value) {
      if (type !== 'file') continue;
      // A file in LFS is a pointer for Git, and the pointer has the hash of the content.
      if (lfs) files.push({ path, sizeBytes: lfs.size, etag: lfs.oid, sha256: lfs.oid });
      else files.push({ path, sizeBytes, etag: oid, gitSha1: oid });
    }
    next = nextPage(headers.link, server);
  }
  return files;
}

/** @throws StoreError for a page of another host */
function nextPage(link: string | string[] | undefined, { base, title }: SourceServer): URL | undefined {
  const [, address] = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(link ?? '')) ?? [];
  if (address === undefined) return undefined;
  const url = URL.parse(address, base.href);
  if (url?.origin === base.origin) return url;
  throw new StoreError(
    'corrupt',
    `${title} continues its list of files on another host, which is not followed.`,
  );
}

function urlOf({ base }: SourceServer, path: string): URL {
  return new URL(path, base);
}

function escapePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
