import {
  InvokeEndpointWithResponseStreamCommand,
  type InvokeEndpointWithResponseStreamCommandInput,
  ModelError,
  ModelStreamError,
  SageMakerRuntimeClient,
  ValidationError,
} from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePayloadParts } from '../../../../shared/protocols/sagemaker/event-stream.ts';
import { FLOAT, identityModel } from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import { type Listener, listen } from '../../../support/hosts/listen.ts';
import { makeRepository } from '../../../support/make-repository.ts';
import { ask } from './ask.ts';

const ROW = '5.1,3.5,1.4,0.2';
const LOGITS = [7.113542, -1.969219, -9.984419];

let listener: Listener;
let client: SageMakerRuntimeClient;
beforeAll(async () => {
  listener = await listen(openApp({ ENDPOINT_MODELS: 'flowers=iris/2' }));
  client = connect(listener);
});
afterAll(async () => {
  client.destroy();
  await listener.close();
});

function connect({ url }: Listener): SageMakerRuntimeClient {
  return new SageMakerRuntimeClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
}

type Call = Partial<InvokeEndpointWithResponseStreamCommandInput>;

async function stream(call: Call, sdk = client) {
  const command = new InvokeEndpointWithResponseStreamCommand({
    EndpointName: 'iris',
    ContentType: 'text/csv',
    Body: Buffer.from(ROW),
    ...call,
  });
  const { Body = [], ContentType, InvokedProductionVariant } = await sdk.send(command);
  const parts: Uint8Array[] = [];
  for await (const event of Body) {
    if (event.PayloadPart?.Bytes) parts.push(event.PayloadPart.Bytes);
  }
  return { parts, text: Buffer.concat(parts).toString(), ContentType, InvokedProductionVariant };
}

const failureOf = (call: Call) =>
  stream(call).then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a stream, as the AWS SDK for JavaScript reads it', () => {
  it.each<[string, Call, string, string]>([
    ['JSON', {}, 'application/json', `${JSON.stringify([LOGITS])}\n`],
    ['CSV', { Accept: 'text/csv' }, 'text/csv', `${LOGITS}\n`],
    ['lines', { Accept: 'application/jsonlines' }, 'application/jsonlines', `${JSON.stringify(LOGITS)}\n`],
    [
      'an endpoint of ENDPOINT_MODELS',
      { EndpointName: 'flowers' },
      'application/json',
      `${JSON.stringify([LOGITS])}\n`,
    ],
    [
      'instances',
      { ContentType: 'application/json', Body: Buffer.from(`{"instances": [[${ROW}]]}`) },
      'application/json',
      `${JSON.stringify({ predictions: [LOGITS] })}\n`,
    ],
  ])('has the whole answer as its one part: %s', async (_, call, type, text) => {
    const found = await stream(call);
    expect([found.parts.length, found.text]).toEqual([1, text]);
    expect([found.ContentType, found.InvokedProductionVariant]).toEqual([type, '2']);
  });

  it('throws the errors that it throws without a stream', async () => {
    expect(await failureOf({ EndpointName: 'tulips' })).toBeInstanceOf(ValidationError);
    const refused = await failureOf({ Body: Buffer.from('1,2') });
    expect(refused).toBeInstanceOf(ModelError);
    expect(refused).toMatchObject({ OriginalStatusCode: 400, message: expect.stringContaining('2 columns') });
    expect(await failureOf({ Accept: 'image/png' })).toMatchObject({
      name: 'ModelError',
      OriginalStatusCode: 406,
    });
  });

  it('throws what comes in the stream for an answer that is not ready in time', async () => {
    // To load the model takes longer than that.
    const cold = await listen(openApp());
    const sdk = connect(cold);
    sdk.middlewareStack.add(
      (next) => async (args) => {
        const { request } = args;
        if (typeof request === 'object' && request !== null && 'headers' in request) {
          Object.assign(request.headers ?? {}, { 'x-request-timeout-ms': '1' });
        }
        return await next(args);
      },
      { step: 'build' },
    );
    const error = await stream({}, sdk).catch((thrown: unknown) => thrown);
    sdk.destroy();
    await cold.close();
    expect(error).toBeInstanceOf(ModelStreamError);
    expect(error).toMatchObject({
      ErrorCode: 'ModelInvocationTimeExceeded',
      Message: expect.stringContaining('timeout'),
    });
  });

  it('is split where it is longer than a message may be', async () => {
    const folder = await makeRepository({ echo: { onnx: identityModel(FLOAT, ['n', 1_000_000]) } });
    const other = await listen(
      openApp({
        MODEL_REPOSITORY: folder,
        MAX_ANSWER_BYTES: String(2 ** 26),
        MAX_BODY_BYTES: String(2 ** 26),
        MAX_TENSOR_ELEMENTS: '5000000',
      }),
    );
    const sdk = connect(other);
    const bytes = Buffer.alloc(5_000_000 * 4, 1);
    const header = Buffer.from(
      `\x93NUMPY\x01\x00\x76\x00${"{'descr': '<f4', 'fortran_order': False, 'shape': (5, 1000000), }".padEnd(117)}\n`,
      'latin1',
    );
    const found = await stream(
      {
        EndpointName: 'echo',
        ContentType: 'application/x-npy',
        Accept: 'application/x-npy',
        Body: Buffer.concat([header, bytes]),
      },
      sdk,
    );
    sdk.destroy();
    await other.close();
    expect(found.parts.length).toBe(3);
    expect(Buffer.concat(found.parts).subarray(-bytes.length).equals(bytes)).toBe(true);
  });
});

it('names its request and its type in headers', async () => {
  const host = openApp();
  const answer = await ask(host, '/endpoints/iris/invocations-response-stream', ROW, {
    'content-type': 'text/csv',
  });
  await host.close();
  expect(answer.headers).toMatchObject({
    'content-type': 'application/vnd.amazon.eventstream',
    'x-amzn-sagemaker-content-type': 'application/json',
    'x-amzn-requestid': 'host-id',
  });
});

it('has its headers where the specification says', () => {
  // Length, length of the headers, checksum of both, headers, payload, checksum.
  const bytes = Buffer.from(encodePayloadParts(Buffer.from('{}')));
  expect([bytes.readUInt32BE(0), bytes.length]).toEqual([bytes.length, bytes.length]);
  expect(bytes.subarray(12, 12 + bytes.readUInt32BE(4)).toString('latin1')).toBe(
    '\x0b:event-type\x07\x00\x0bPayloadPart\x0d:content-type\x07\x00\x18application/octet-stream\x0d:message-type\x07\x00\x05event',
  );
});
