import type { HttpContent } from '../../http/http-client.ts';
import type { NewContent, StoreErrorReason } from '../model-store.ts';

/** Content with the hashes that stores check it by. */
export interface HashedContent extends NewContent {
  /** In base64; undefined where the protocol does not need it. */
  readonly md5: string | undefined;
}

/** A request of a store's protocol, before it proves who asks. */
export interface ObjectRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Escaped as the store signs it. */
  readonly url: URL;
  /** With names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly content?: HttpContent;
}

export interface ObjectAnswer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the request was sent twice. */
  readonly isRepeated?: boolean | undefined;
}

export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
}

/** A part of a listing. */
export interface ObjectPage {
  readonly objects: readonly ListedObject[];
  /** Where the next part begins; undefined for the last one. */
  readonly next: string | undefined;
}

export interface GetConditions {
  /** Bytes `start` (inclusive) to `end` (exclusive). */
  readonly range?: { readonly start: number; readonly end: number };
  /** The content must still be this one. */
  readonly etag?: string;
  /** The content need not come if it is this one. */
  readonly known?: string | undefined;
}

/** Why a store does not do what it is asked for. */
export interface Refusal {
  readonly reason: StoreErrorReason;
  /** The code and the words of the store. */
  readonly text: string;
  /** Whether it can be different with the next attempt. */
  readonly isPassing?: boolean;
  /** Whether the bucket or container does not exist, and not only an object in it. */
  readonly isContainer?: boolean;
  /** Whether what proved who asks has ended: it is asked for again. */
  readonly isExpired?: boolean;
}

export type Action = 'list' | 'read' | 'write' | 'remove';

export interface ProofOptions {
  /** By the store's clock. */
  readonly now: Date;
  /** The headers of the last attempt, if the store has refused their proof because it has ended. */
  readonly refused: Readonly<Record<string, string>> | undefined;
  readonly signal: AbortSignal;
}

/** How a store for objects is asked over HTTP. */
export interface ObjectProtocol {
  /** As in messages: `S3`. */
  readonly title: string;
  /** The permission that each action needs. */
  readonly permissions: Readonly<Record<Action, string>>;
  /** What to check when nothing is there, and when nobody answers. */
  readonly advice: { readonly missing: string; readonly unreachable: string };
  /** Most bytes of one write, and how messages say it. */
  readonly largest: { readonly bytes: number; readonly text: string };
  /** Whether the store checks new content by its MD5. */
  readonly needsMd5: boolean;
  list(prefix: string, start: string | undefined): ObjectRequest;
  /** @throws Error for a text that is not a listing */
  readPage(text: string): ObjectPage;
  get(key: string, conditions: GetConditions): ObjectRequest;
  /** @param replaced the etag of the object that it replaces; without it, there must not be one */
  put(key: string, content: HashedContent, replaced: string | undefined): ObjectRequest;
  remove(key: string, etag: string): ObjectRequest;
  /** The etag in the answer to a get or a put, as listings have it. */
  etagOf(answer: ObjectAnswer, text?: string): string | undefined;
  refusalOf(answer: ObjectAnswer, text: string): Refusal;
  /**
   * All headers of a request, with those that prove who asks.
   *
   * @throws StoreError when there is nothing to prove it with
   */
  prove(request: ObjectRequest, options: ProofOptions): Promise<Readonly<Record<string, string>>>;
  /** Whether the request should be made again, because the answer says where to. */
  redirect?(answer: ObjectAnswer, text: string): boolean;
}
