import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  InvokeEndpointAsyncCommand,
  InvokeEndpointCommand,
  type InvokeEndpointCommandInput,
  ModelError,
  ModelNotReadyException,
  SageMakerRuntimeClient,
  ValidationError,
} from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpy } from '../../../../shared/tensor/npy.ts';
import { createTensor } from '../../../../shared/tensor/tensor.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import { type Listener, listen } from '../../../support/hosts/listen.ts';
import { PROJECT } from '../../../support/project.ts';
import { readNpy } from '../../../support/read-npy.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';

const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
const ROW = [5.1, 3.5, 1.4, 0.2];
const LOGITS = [7.113542, -1.969219, -9.984419];

let listener: Listener;
let client: SageMakerRuntimeClient;
beforeAll(async () => {
  listener = await listen(openApp());
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

type Call = Omit<InvokeEndpointCommandInput, 'EndpointName'> & { readonly EndpointName?: string };
const invoke = (call: Call) => client.send(new InvokeEndpointCommand({ EndpointName: 'iris', ...call }));
const textOf = async (call: Call) => Buffer.from((await invoke(call)).Body ?? []).toString();
const failureOf = async (call: Call) =>
  await invoke(call).then(
    () => undefined,
    (error: unknown) => error,
  );

describe('the AWS SDK for JavaScript', () => {
  it.each<[string, string | Uint8Array, unknown]>([
    ['application/json', JSON.stringify({ instances: [ROW] }), { predictions: [LOGITS] }],
    ['application/json', JSON.stringify({ inputs: [ROW] }), { predictions: [LOGITS] }],
    ['application/json', JSON.stringify([ROW]), [LOGITS]],
    ['text/csv', ROW.join(), [LOGITS]],
    ['application/jsonlines', JSON.stringify(ROW), [LOGITS]],
    ['application/x-npy', writeNpy(createTensor('FP64', [1, 4], ROW)), [LOGITS]],
  ])('invokes an endpoint with %s %s', async (ContentType, Body, answer) => {
    const {
      $metadata,
      ContentType: type,
      InvokedProductionVariant,
      Body: body,
    } = await invoke({ ContentType, Body });
    expect(JSON.parse(Buffer.from(body ?? []).toString())).toEqual(answer);
    expect(type).toBe('application/json');
    expect(InvokedProductionVariant).toBe('2');
    expect($metadata).toMatchObject({ httpStatusCode: 200, requestId: expect.any(String) });
  });

  it('gets the type it accepts', async () => {
    const call = { ContentType: 'text/csv', Body: `${ROW}\n${ROW}` };
    expect(await textOf({ ...call, Accept: 'text/csv' })).toBe(`${LOGITS}\n${LOGITS}\n`);
    const { Body = new Uint8Array(0) } = await invoke({ ...call, Accept: 'application/x-npy' });
    expect(readNpy(Body, { field: 'answer', elementLimit: 10 }).shape).toEqual([2, 3]);
  });

  it('sends an image', async () => {
    for (const ContentType of ['image/png', 'application/x-image', undefined]) {
      const text = await textOf({ EndpointName: 'digits', Body: PNG, ContentType });
      expect(JSON.parse(text)[0]).toEqual({ label: '7', score: expect.closeTo(0.79228, 4) });
    }
  });

  it('picks a model and a version', async () => {
    const call = {
      EndpointName: 'zoo',
      TargetModel: 'iris.tar.gz',
      TargetVariant: '1',
      ContentType: 'text/csv',
    };
    expect(await textOf({ ...call, Accept: 'text/csv', Body: ROW.join() })).toBe('setosa,0.99999934,0,0\n');
  });

  it('throws a ModelError for what a container refuses', async () => {
    const error = await failureOf({ ContentType: 'text/csv', Body: '1,2' });
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({
      name: 'ModelError',
      message: 'Field "line 1" has 2 columns; the model takes 4.',
      OriginalStatusCode: 400,
      OriginalMessage: 'Field "line 1" has 2 columns; the model takes 4.',
      $metadata: { httpStatusCode: 424 },
    });
  });

  it('throws a ValidationError for an endpoint that is not there', async () => {
    const error = await failureOf({ EndpointName: 'tulips', Body: 'x' });
    expect(error).toBeInstanceOf(ValidationError);
    expect(error).toMatchObject({ message: 'There is no model "tulips"; the models are: digits, iris.' });
  });

  it('throws a ModelNotReadyException for a model that cannot be loaded now', async () => {
    const folder = await makeFolder({ 'broken/1/model.onnx': 'no model' });
    const other = await listen(openApp({ MODEL_REPOSITORY: folder }));
    const sdk = connect(other);
    const error = await sdk
      .send(new InvokeEndpointCommand({ EndpointName: 'broken', ContentType: 'text/csv', Body: '1' }))
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ModelNotReadyException);
    expect(error).toMatchObject({ message: expect.stringMatching(/^Model "broken"/) });
    sdk.destroy();
    await other.close();
  });

  it('is answered that asynchronous calls are not there', async () => {
    const call = new InvokeEndpointAsyncCommand({ EndpointName: 'iris', InputLocation: 's3://bucket/key' });
    const error = await client.send(call).catch((e: unknown) => e);
    expect(error).toMatchObject({
      name: 'NotImplementedException',
      message: expect.stringMatching(/^Asynchronous answers are not supported here/),
      $metadata: { httpStatusCode: 501 },
    });
  });
});
