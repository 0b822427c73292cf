import { InferenceError } from '../errors.ts';
import { memoize } from '../memo.ts';
import { HeaderList, type HeaderListInit } from './header-list.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** The readers of a body that is in memory. They all work on the same bytes, any number of times. */
abstract class MemoryBody {
  abstract readonly headers: Headers;
  abstract bytes(): Promise<Bytes>;

  get bodyUsed(): boolean {
    return false;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return await (await this.#read()).arrayBuffer();
  }

  async blob(): Promise<Blob> {
    return await (await this.#read()).blob();
  }

  async formData(): Promise<FormData> {
    return await (await this.#read()).formData();
  }

  async json(): Promise<unknown> {
    return await (await this.#read()).json();
  }

  async text(): Promise<string> {
    return await (await this.#read()).text();
  }

  async #read(): Promise<Response> {
    const type = this.headers.get('content-type');
    return new Response(streamOf(await this.bytes()), {
      headers: type === null ? {} : { 'content-type': type },
    });
  }
}

/** A target that a URL leaves unchanged: no dots that stand for folders, nothing to escape. */
const PLAIN_URL = /^http:\/\/localhost(?:\/(?!\.)[\w.~:,=-]*)+(?:\?[\w.~:,=&+/-]*)?$/;

const plainUrl = memoize((url) => (PLAIN_URL.test(url) ? url : new URL(url).href));

/**
 * A Request whose body is bytes in memory, as every serverless host hands them over: `bytes()` gives the memory itself,
 * `body` is null. The built-in Request would copy them twice, refuse methods such as TRACE, which the router answers
 * with 405, and create much that is never used.
 */
export class BytesRequest extends MemoryBody implements Request {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly #body: Bytes | InferenceError;

  /** @param body its bytes, or the error that all readers reject with */
  constructor(
    url: string,
    { method, headers }: { readonly method: string; readonly headers: Headers },
    body: Uint8Array | InferenceError,
  ) {
    super();
    this.url = plainUrl(url);
    this.method = method;
    this.headers = headers;
    this.#body = body instanceof InferenceError ? body : asPlainBytes(body);
  }

  get body(): null {
    return null;
  }
  get cache(): Request['cache'] {
    return 'default';
  }
  get credentials(): Request['credentials'] {
    return 'same-origin';
  }
  get destination(): Request['destination'] {
    return '';
  }
  get duplex(): 'half' {
    return 'half';
  }
  get integrity(): string {
    return '';
  }
  get keepalive(): boolean {
    return false;
  }
  get mode(): Request['mode'] {
    return 'cors';
  }
  get redirect(): Request['redirect'] {
    return 'follow';
  }
  get referrer(): string {
    return 'about:client';
  }
  get referrerPolicy(): Request['referrerPolicy'] {
    return '';
  }
  get signal(): AbortSignal {
    return new AbortController().signal;
  }

  async bytes(): Promise<Bytes> {
    return this.content;
  }

  /** Bytes of the body; undefined if it could not be read. */
  get size(): number | undefined {
    return this.#body instanceof InferenceError ? undefined : this.#body.length;
  }

  /**
   * The bytes, without a promise.
   * @throws InferenceError for a body that could not be read
   */
  get content(): Bytes {
    if (this.#body instanceof InferenceError) throw this.#body;
    return this.#body;
  }

  clone(): Request {
    return this;
  }
}

/** The parts of a response other than its body. A `Response` is such an object too. */
export interface BytesResponseInit {
  readonly status?: number;
  readonly headers?: HeaderListInit;
}

/** A Response made from bytes or a text in memory, which hosts use directly. */
export class BytesResponse extends MemoryBody implements Response {
  readonly status: number;
  readonly headers: Headers;
  #content: string | Bytes | readonly Uint8Array[];

  /** @param content a text, bytes, or bytes in several pieces, which are joined only for those who need them in one */
  constructor(
    content: string | Uint8Array | readonly Uint8Array[],
    { status = 200, headers }: BytesResponseInit = {},
  ) {
    super();
    this.status = status;
    this.headers = new HeaderList(headers);
    this.#content = content instanceof Uint8Array ? asPlainBytes(content) : content;
  }

  /** The bytes or the text that it was made from. */
  get content(): string | Bytes {
    if (isPieces(this.#content)) this.#content = asPlainBytes(Buffer.concat(this.#content));
    return this.#content;
  }

  /** The pieces that it was made from, if they have not been joined. */
  get pieces(): readonly Uint8Array[] | undefined {
    return isPieces(this.#content) ? this.#content : undefined;
  }

  /** Bytes of the body. */
  get size(): number {
    const content = this.#content;
    if (isPieces(content)) return content.reduce((sum, { length }) => sum + length, 0);
    return typeof content === 'string' ? Buffer.byteLength(content) : content.length;
  }

  get body(): ReadableStream<Bytes> {
    return streamOf(this.#bytes());
  }
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }
  get redirected(): boolean {
    return false;
  }
  get statusText(): string {
    return '';
  }
  get type(): Response['type'] {
    return 'default';
  }
  get url(): string {
    return '';
  }

  async bytes(): Promise<Bytes> {
    return this.#bytes();
  }

  clone(): Response {
    return new BytesResponse(this.content, this);
  }

  #bytes(): Bytes {
    const { content } = this;
    return typeof content === 'string' ? asPlainBytes(Buffer.from(content)) : content;
  }
}

/** `Array.isArray` does not narrow a readonly array by itself. */
function isPieces(content: string | Bytes | readonly Uint8Array[]): content is readonly Uint8Array[] {
  return Array.isArray(content);
}

/** The body of a response in the form in which it is in memory; undefined if it has none. */
export async function contentOf(response: Response): Promise<string | Uint8Array | undefined> {
  if (response instanceof BytesResponse) return response.content;
  return response.body === null ? undefined : await response.bytes();
}

function streamOf(bytes: Bytes): ReadableStream<Bytes> {
  return new ReadableStream({
    pull: (controller) => {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}

/** The same memory. Only bytes in shared memory are copied, and a body is never in shared memory. */
function asPlainBytes(bytes: Uint8Array): Bytes {
  return bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}
