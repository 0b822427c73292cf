import { InferenceError } from '../errors.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * A Request whose body is bytes already in memory, as every serverless host hands them over. `bytes()` of a plain
 * Request copies them twice; here it gives the memory itself. The other readers work on the same bytes; `body` is null
 * and `clone()` gives the request again, as bytes can be read any number of times.
 */
export class BytesRequest extends Request {
  override readonly bytes: () => Promise<Bytes>;
  override readonly method: string;
  readonly #read: () => Promise<Response>;

  /** @param body its bytes, or why there are none: all readers reject with that */
  constructor(
    url: string,
    init: { readonly method: string; readonly headers: Headers },
    body: Uint8Array | InferenceError,
  ) {
    // Request refuses TRACE and the like with a TypeError; they must reach the router to be answered with 405.
    super(url, { headers: init.headers });
    this.method = init.method;
    const plain = body instanceof InferenceError ? body : asPlainBytes(body);
    this.bytes = async () => {
      if (plain instanceof InferenceError) throw plain;
      return plain;
    };
    this.#read = async () =>
      new Response(streamOf(await this.bytes()), {
        headers: { 'content-type': this.headers.get('content-type') ?? '' },
      });
  }

  override arrayBuffer = async (): Promise<ArrayBuffer> => (await this.#read()).arrayBuffer();
  override blob = async (): Promise<Blob> => (await this.#read()).blob();
  override formData = async (): Promise<FormData> => (await this.#read()).formData();
  override json = async (): Promise<unknown> => (await this.#read()).json();
  override text = async (): Promise<string> => (await this.#read()).text();
  override clone = (): Request => this;
}

/** A Response made of bytes in memory, for hosts that want bytes back: `bytes()` gives them without a copy. */
export class BytesResponse extends Response {
  override readonly bytes: () => Promise<Bytes>;

  constructor(body: Uint8Array, init: ResponseInit) {
    const plain = asPlainBytes(body);
    // A stream is handed on as it is, where bytes would be copied at once.
    super(streamOf(plain), init);
    this.bytes = () => Promise.resolve(plain);
  }
}

function streamOf(bytes: Bytes): ReadableStream<Bytes> {
  return new ReadableStream({
    pull: (controller) => {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}

/** The same memory; only bytes in shared memory, which a body cannot be, are copied. */
function asPlainBytes(bytes: Uint8Array): Bytes {
  return bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}
