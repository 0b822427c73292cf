import { InferenceError } from '../shared/errors.ts';
import { gatherBody } from '../shared/http/body-memory.ts';
import type { BodyPart } from '../shared/http/body-room.ts';
import { countCodings } from '../shared/http/read-body.ts';
import { bodyTaken, tooSlow } from './http-function.ts';

/**
 * The body of a request of the Fetch standard, or enough of it to show that it is over the limit: no
 * client can make the server hold more than that.
 *
 * @returns the error to answer with, if there is no such body
 */
export async function readFetchBody(
  request: Request,
  limitBytes: number,
  part: BodyPart,
): Promise<Uint8Array | InferenceError> {
  if (request.bodyUsed) return bodyTaken();
  const given = request.headers.get('content-length');
  const declared = given !== null && /^\d{1,15}$/.test(given) ? Number(given) : undefined;
  if (declared !== undefined && declared > limitBytes) return new Uint8Array(0);
  try {
    if (request.body === null) return new Uint8Array(0);
    return await readStream(request.body, request.headers, declared, limitBytes, part);
  } catch (error) {
    // Others wait for its room, and its answer may take a while.
    part.close();
    if (error instanceof InferenceError) return error;
    return new InferenceError('CLIENT_GONE', 'The client has closed the connection.', { cause: error });
  }
}

async function readStream(
  stream: ReadableStream<Uint8Array>,
  headers: Headers,
  declared: number | undefined,
  limitBytes: number,
  part: BodyPart,
): Promise<Uint8Array> {
  const reader = stream.getReader();
  const length = declared ?? limitBytes + 1;
  const parts = gatherBody(headers, length);
  let isLate = false;
  let endWatch = () => {};
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (isLate) throw tooSlow();
      if (done) return parts.join();
      // All the memory that it may need is taken at once: a request that holds some and waits for more would block
      // others.
      if (parts.grows(value)) {
        await part.resize(length + countCodings(headers) * limitBytes);
        endWatch = part.watch(() => {
          isLate = true;
          reader.cancel().catch(() => undefined);
        });
      }
      if (parts.add(value)) continue;
      if (declared === undefined) return parts.join();
      // Something before Ternion has unpacked the body, and kept the header.
      throw new InferenceError(
        'BAD_REQUEST',
        `The body is longer than its header Content-Length says: ${declared} bytes.`,
      );
    }
  } finally {
    endWatch();
    reader.cancel().catch(() => undefined);
  }
}
