import { once } from 'node:events';
import { createServer, request as sendRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHttpFunction } from '../../functions/http-function.ts';
import { type BodyPart, type BodyRoom, createBodyRoom } from '../../shared/http/body-room.ts';
import { createTestHost } from '../support/hosts/in-process.ts';
import { readResponse, type TestResponse } from '../support/hosts/test-host.ts';
import { portOf } from '../support/port-of.ts';

const BODY_BYTES = 2_000_000;
/** A compressed body that may become this large, with the part of it that was sent. */
const ROOM_BYTES = 5_000_000;

/** A row of the iris model, made large by white space. */
function body(index: number, bytes = BODY_BYTES): Buffer {
  const text = `{"instances":[[${index},3.5,1.4,0.2]]`;
  return Buffer.from(`${text.padEnd(bytes - 1)}}`);
}

/** A room that reports when the first request of the clients asks for memory. */
function announce(room: BodyRoom): { readonly room: BodyRoom; readonly asked: Promise<void> } {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const open: BodyRoom['open'] = (signal) => {
    const part = room.open(signal);
    const resize: BodyPart['resize'] = (bytes) => {
      resolve();
      return part.resize(bytes);
    };
    return { resize, watch: (onLate) => part.watch(onLate), close: () => part.close() };
  };
  return { room: { open }, asked };
}

interface Opened {
  readonly port: number;
  readonly room: BodyRoom;
  /** Status of each answer in the order in which they were made, including those that no client waited for. */
  readonly statuses: readonly number[];
}

async function open(bodyRoom: BodyRoom = createBodyRoom(ROOM_BYTES)): Promise<Opened> {
  const host = createTestHost({
    MAX_BODY_BYTES: String(BODY_BYTES),
    MAX_COMPRESSION_RATIO: '1000000',
    LOG_LEVEL: 'silent',
  });
  const statuses: number[] = [];
  const app = {
    ...host.app,
    bodyRoom,
    fetch: async (...[given, context]: Parameters<typeof host.app.fetch>) => {
      const response = await host.app.fetch(given, context);
      statuses.push(response.status);
      return response;
    },
  };
  const answer = createHttpFunction({ ...host, app });
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch(() => outgoing.destroy());
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await host.app.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: portOf(server), room: bodyRoom, statuses };
}

const GZIP = { 'content-encoding': 'gzip' };

function begin(port: number, headers: Readonly<Record<string, string>> = {}) {
  const path = '/v1/models/iris:predict';
  const outgoing = sendRequest({ host: '127.0.0.1', port, method: 'POST', path, headers, agent: false });
  const answer = new Promise<TestResponse>((resolve, reject) => {
    outgoing.on('response', (incoming) => readResponse(incoming).then(resolve, reject));
    outgoing.on('error', reject);
  });
  return { outgoing, answer };
}

function post(port: number, sent: Buffer, headers: Readonly<Record<string, string>> = {}) {
  const { outgoing, answer } = begin(port, { 'content-length': String(sent.length), ...headers });
  outgoing.end(sent);
  return answer;
}

/** Fails if any of the room is still taken; no request may be waiting in it. */
async function expectFree(room: BodyRoom): Promise<void> {
  const part = room.open(AbortSignal.abort());
  await part.resize(Number.POSITIVE_INFINITY);
  part.close();
}

const scoreOf = ({ body: sent }: TestResponse): unknown => JSON.parse(sent.toString()).predictions[0];

describe('large bodies', () => {
  it.each<[string, (bytes: Buffer) => Buffer, Readonly<Record<string, string>>]>([
    ['compressed', gzipSync, GZIP],
    ['compressed twice', (bytes) => gzipSync(gzipSync(bytes)), { 'content-encoding': 'gzip, gzip' }],
    ['plain', (bytes) => bytes, {}],
    ['of no declared length', (bytes) => bytes, { 'content-length': '', 'transfer-encoding': 'chunked' }],
  ])('are all answered, each with its own answer: %s', async (_, encode, headers) => {
    const { port, room } = await open();
    const send = async (index: number, bytes?: number) => {
      const { 'content-length': length, ...rest } = headers;
      const sent = encode(body(index, bytes));
      const declared = length === undefined ? { 'content-length': String(sent.length) } : {};
      const { outgoing, answer } = begin(port, { ...declared, ...rest });
      outgoing.end(sent);
      return await answer;
    };
    const indices = Array.from({ length: 12 }, (_, index) => index);
    const small = await Promise.all(indices.map((index) => send(index, 100)));
    const large = await Promise.all(indices.map((index) => send(index)));
    expect(large.map(({ status }) => status)).toEqual(indices.map(() => 200));
    expect(large.map(scoreOf)).toEqual(small.map(scoreOf));
    expect(new Set(large.map((answer) => JSON.stringify(scoreOf(answer)))).size).toBe(12);
    await expectFree(room);
  });

  it('are served alone if they are larger than the whole room', async () => {
    const { port, room } = await open(createBodyRoom(1));
    const answers = await Promise.all([1, 2, 3].map((index) => post(port, gzipSync(body(index)), GZIP)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    await expectFree(room);
  });

  it('get 503 if there is no room in time, while small ones are answered', async () => {
    const { port, room, statuses } = await open(createBodyRoom(ROOM_BYTES, { mostWaitMs: 20 }));
    const other = room.open();
    await other.resize(ROOM_BYTES);
    for (const refused of [await post(port, body(1)), await post(port, gzipSync(body(1)), GZIP)]) {
      expect(refused.status).toBe(503);
      expect(refused.headers['retry-after']).toBe('1');
      expect(JSON.parse(refused.body.toString())).toMatchObject({
        error_code: 'TEMPORARILY_UNAVAILABLE',
        error:
          'The server holds request bodies of 5000000 bytes already, which is the limit (MAX_BODIES_BYTES); send it again later.',
      });
    }
    expect((await post(port, body(1, 1_000))).status).toBe(200);
    other.close();
    expect((await post(port, body(1))).status).toBe(200);
    expect(statuses).toEqual([503, 503, 200, 200]);
    await expectFree(room);
  });

  it.each([
    ['of gzip', gzipSync(body(1)).subarray(0, -20), GZIP, 400],
    ['that become too large', gzipSync(body(1, BODY_BYTES + 1)), GZIP, 413],
    ['of an unknown coding', body(1), { 'content-encoding': 'zstd' }, 415],
    ['that are not JSON', Buffer.alloc(BODY_BYTES, '['), {}, 400],
  ])('give their room back when they fail: %s', async (_, sent, headers, status) => {
    const { port, room } = await open();
    expect((await post(port, sent, headers)).status).toBe(status);
    await expectFree(room);
  });

  it('give their room back when nobody reads them', async () => {
    const { port, room } = await open();
    const outgoing = sendRequest({ host: '127.0.0.1', port, method: 'POST', path: '/none', agent: false });
    const answer = once(outgoing, 'response');
    outgoing.end(body(1));
    const [incoming] = await answer;
    incoming.resume();
    expect(incoming.statusCode).toBe(404);
    await expectFree(room);
  });

  it('stop waiting for room when their client has disconnected', async () => {
    const room = createBodyRoom(ROOM_BYTES);
    const announced = announce(room);
    const { port, statuses } = await open(announced.room);
    const other = room.open();
    await other.resize(ROOM_BYTES);
    const sent = gzipSync(body(1));
    const { outgoing, answer } = begin(port, { 'content-length': String(sent.length), ...GZIP });
    answer.catch(() => undefined);
    outgoing.end(sent);
    await announced.asked;
    outgoing.destroy();
    while (statuses.length === 0) await new Promise(setImmediate);
    expect(statuses).toEqual([499]);
    other.close();
    expect((await post(port, body(1))).status).toBe(200);
    await expectFree(room);
  });

  // A server notices that only while it reads.
  it('give their room back when their client disconnects before everything was read', async () => {
    const room = createBodyRoom(BODY_BYTES);
    const announced = announce(room);
    const { port } = await open(announced.room);
    const other = room.open();
    await other.resize(BODY_BYTES);
    const { outgoing, answer } = begin(port, { 'content-length': String(BODY_BYTES) });
    answer.catch(() => undefined);
    outgoing.write(body(1).subarray(0, -1));
    await announced.asked;
    outgoing.destroy();
    const next = post(port, body(2));
    other.close();
    expect((await next).status).toBe(200);
    await expectFree(room);
  });

  it('lose their room to others if their client sends too slowly', async () => {
    const { room, asked } = announce(createBodyRoom(1, { mostWaitMs: 300 }));
    const { port } = await open(room);
    const slow = begin(port, { 'content-length': String(BODY_BYTES) });
    slow.outgoing.write(body(1).subarray(0, -1));
    await asked;
    const waits = post(port, body(2));
    const refused = await slow.answer;
    expect(refused.status).toBe(503);
    expect(JSON.parse(refused.body.toString()).error).toBe(
      'The request body arrived too slowly while other requests waited for its memory; send it again later.',
    );
    expect((await waits).status).toBe(200);
    slow.outgoing.destroy();
    await expectFree(room);
  });
});
