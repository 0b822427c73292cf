import { signWithKey } from '../../azure/shared-key.ts';
import { type Environment, findStorageAccount, type StorageAccount } from '../../azure/storage-account.ts';
import { type AzureToken, findToken, isPrivate, type TokenSource } from '../../azure/tokens.ts';
import { keepFresh } from '../../keep-fresh.ts';
import { StoreError, type StoreErrorReason } from '../model-store.ts';
import type {
  GetConditions,
  ListedObject,
  ObjectAnswer,
  ObjectPage,
  ObjectProtocol,
  ProofOptions,
  Refusal,
} from './protocol.ts';
import { elementsOf, textOf } from './xml.ts';

export interface BlobConnection {
  /** The URL of the repository. */
  readonly url: string;
  /** The server of another account than the one of the environment. */
  readonly server: string | undefined;
  readonly container: string;
  readonly environment: Environment;
  readonly otherwise: TokenSource | undefined;
}

/** The reasons of codes that share their status with others. A lease or a snapshot is not a lost race. */
const REASON_OF_CODE: Readonly<Record<string, StoreErrorReason>> = {
  BlobAlreadyExists: 'changed',
  ConditionNotMet: 'changed',
  TargetConditionNotMet: 'changed',
  InvalidResourceName: 'missing',
  ContainerBeingDeleted: 'missing',
};
const REASON_OF_STATUS: Readonly<Record<number, StoreErrorReason>> = {
  401: 'denied',
  403: 'denied',
  404: 'missing',
  409: 'denied',
  412: 'denied',
  416: 'changed',
};
const CONTAINER: ReadonlySet<string> = new Set([
  'ContainerNotFound',
  'ContainerBeingDeleted',
  'InvalidResourceName',
]);
const VERSION = '2021-12-02';
const READER = 'the role "Storage Blob Data Reader"';
const CONTRIBUTOR = 'the role "Storage Blob Data Contributor"';

/** A source of tokens does not answer now. */
class NoAnswerError extends Error {}

/**
 * The protocol of a container in the account that the URL or the environment names.
 *
 * @throws StoreError when there is none
 */
export function connectToBlobs({
  url,
  server,
  container,
  environment,
  otherwise,
}: BlobConnection): ObjectProtocol {
  try {
    const account = findStorageAccount(environment, server);
    const findOwn = () => findToken(environment, (reason) => new NoAnswerError(reason), otherwise);
    return createBlobProtocol(account, container, findOwn);
  } catch (error) {
    throw new StoreError('missing', `${url} cannot be opened: ${messageOf(error)}.`, error);
  }
}

/**
 * The protocol of Azure Blob Storage. Source: the reference of its REST API; "Specifying conditional headers for Blob
 * service operations".
 */
function createBlobProtocol(
  { name, endpoint, proof }: StorageAccount,
  container: string,
  source: TokenSource,
): ObjectProtocol {
  const tokens = keepFresh('tokens of Microsoft Entra', source);
  let used: AzureToken | undefined;

  const urlOf = (key: string, query: Readonly<Record<string, string | undefined>> = {}): URL => {
    const parts = [container, ...(key === '' ? [] : key.split('/'))];
    const pairs = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
    );
    if (proof?.is === 'signature') pairs.push(proof.query);
    const address = `${endpoint}/${parts.map(encodeURIComponent).join('/')}`;
    const url = new URL(`${address}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`);
    // A part of dots would lead elsewhere.
    if (`${url.origin}${url.pathname}` === address) return url;
    throw new StoreError('missing', `${JSON.stringify(key)} cannot be the name of a blob.`);
  };

  async function findOwnToken({ refused, signal }: ProofOptions): Promise<string> {
    if (!isPrivate(new URL(endpoint)))
      throw new StoreError(
        'denied',
        `Tokens of Microsoft Entra are not sent to ${endpoint}: it needs https://.`,
      );
    // Another request may have replaced it already.
    const isUsed = refused?.authorization === `Bearer ${used?.token}`;
    const own = await tokens(signal, isUsed ? used : undefined).catch((error: unknown) => {
      signal.throwIfAborted();
      if (error instanceof NoAnswerError) throw error;
      throw new StoreError('denied', `There are no credentials for Azure: ${messageOf(error)}.`, error);
    });
    used = own;
    return own.token;
  }

  return {
    title: 'Azure',
    permissions: { list: READER, read: READER, write: CONTRIBUTOR, remove: CONTRIBUTOR },
    advice: {
      missing: 'check MODEL_REPOSITORY and the storage account',
      unreachable: 'check the storage account and the network route to Azure',
    },
    largest: { bytes: 5000 * 1024 ** 2, text: '5000 MiB' },
    needsMd5: true,
    list: (prefix, start) => ({
      method: 'GET',
      url: urlOf('', { restype: 'container', comp: 'list', prefix: prefix || undefined, marker: start }),
      headers: {},
    }),
    readPage,
    get: (key, conditions) => ({ method: 'GET', url: urlOf(key), headers: headersOf(conditions) }),
    put: (key, content, replaced) => ({
      method: 'PUT',
      url: urlOf(key),
      headers: {
        'x-ms-blob-type': 'BlockBlob',
        'content-type': 'application/octet-stream',
        ...(content.md5 !== undefined && { 'content-md5': content.md5 }),
        ...(replaced === undefined ? { 'if-none-match': '*' } : { 'if-match': replaced }),
      },
      content,
    }),
    remove: (key, etag) => ({ method: 'DELETE', url: urlOf(key), headers: { 'if-match': etag } }),
    etagOf: ({ headers }) => (headers.etag === undefined ? undefined : quote(headers.etag)),
    refusalOf: (answer, text) => {
      const refusal = refusalOf(answer, text);
      return { ...refusal, isExpired: answer.status === 401 && proof === undefined };
    },
    prove: async ({ method, url, headers, content }, options) => {
      const all = { ...headers, 'x-ms-version': VERSION, 'x-ms-date': options.now.toUTCString() };
      if (proof?.is === 'signature') return all;
      const authorization =
        proof === undefined
          ? `Bearer ${await findOwnToken(options)}`
          : signWithKey(
              { method, url, headers: all, sizeBytes: content?.sizeBytes ?? 0 },
              { account: name, key: proof.key },
            );
      return { ...all, authorization };
    },
  };
}

function refusalOf({ status, headers }: ObjectAnswer, text: string): Refusal {
  const code = headers['x-ms-error-code'] ?? textOf(text, 'Code') ?? '';
  const reason = REASON_OF_CODE[code] ?? REASON_OF_STATUS[status] ?? 'unreachable';
  // The other lines have ids. What is beside the message can have parts of a signature.
  const [message = ''] = (textOf(text, 'Message') ?? '').split('\n');
  const words = `${code || status} ${message}`.trim();
  return {
    reason,
    text: words.endsWith('.') ? words : `${words}.`,
    isPassing: status === 429 || status >= 500,
    isContainer: CONTAINER.has(code),
  };
}

/** Azure answers a condition on the etag of a blob that is gone as if it had changed: the answer has its etag as well. */
function headersOf({ range, known }: GetConditions): Readonly<Record<string, string>> {
  return {
    ...(range && { range: `bytes=${range.start}-${range.end - 1}` }),
    ...(known !== undefined && { 'if-none-match': known }),
  };
}

/** Listings have etags without the quotes that headers have. */
function quote(etag: string): string {
  return `"${etag.replaceAll('"', '')}"`;
}

function readPage(xml: string): ObjectPage {
  if (!xml.includes('<EnumerationResults')) throw new Error('the answer is not a listing of Azure');
  const objects = elementsOf(xml, 'Blob').flatMap((each): readonly ListedObject[] => {
    const [name, size, etag] = [textOf(each, 'Name'), textOf(each, 'Content-Length'), textOf(each, 'Etag')];
    // Accounts with folders list them as well.
    const isFolder = textOf(each, 'ResourceType') === 'directory';
    if (name === undefined || size === undefined || etag === undefined || isFolder) return [];
    // Names may have characters that XML has not.
    const key = /<Name Encoded="true">/i.test(each) ? decodeURIComponent(name) : name;
    return [{ key, sizeBytes: Number(size), etag: quote(etag) }];
  });
  return { objects, next: textOf(xml, 'NextMarker') || undefined };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
