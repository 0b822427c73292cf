import { afterAll, describe, expect, it } from 'vitest';
import { post } from '../../../contracts/exchanges.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestHost } from '../../../support/hosts/test-host.ts';

const ROW = [5.1, 3.5, 1.4, 0.2];
const LOGITS = [7.113542, -1.969219, -9.984419];
const V1 = { instances: [ROW] };
const TENSOR = { name: 'features', shape: [1, 4], datatype: 'FP32' };
const V2 = { id: '7', inputs: [{ ...TENSOR, data: ROW }] };

const host = openApp({ DEFAULT_MODEL: 'iris' });
const withoutFace = openApp({ DEFAULT_MODEL: 'iris', PROTOCOLS: 'kserve,open-inference' });
const withoutKServe = openApp({ DEFAULT_MODEL: 'iris', PROTOCOLS: 'hugging-face' });
const pinned = openApp({ DEFAULT_MODEL: 'iris', DIALECT: 'hugging-face' });
const hosts = [host, withoutFace, withoutKServe, pinned];
afterAll(async () => {
  for (const each of hosts) await each.close();
});

async function ask(to: TestHost, path: string, body: unknown) {
  const answer = await to.send(post(path, body));
  return { status: answer.status, json: JSON.parse(answer.body.toString()) };
}

describe('a request to an inference graph', () => {
  it.each(['/', '/hf/iris', '/models/iris'])('is answered in its own protocol at %s', async (path) => {
    expect(await ask(host, path, V1)).toEqual({ status: 200, json: { predictions: [LOGITS] } });
    const second = await ask(host, path, V2);
    expect(second.json).toMatchObject({
      id: '7',
      model_name: 'iris',
      outputs: [{ name: 'logits', data: LOGITS }],
    });
  });

  it('can hold its tensors as bytes', async () => {
    const tensor = { ...TENSOR, parameters: { binary_data_size: 16 } };
    const head = Buffer.from(JSON.stringify({ inputs: [tensor] }));
    const answer = await host.send({
      method: 'POST',
      path: '/',
      headers: {
        'content-type': 'application/octet-stream',
        'inference-header-content-length': String(head.length),
      },
      body: Buffer.concat([head, Buffer.from(new Float32Array(ROW).buffer)]),
    });
    expect(JSON.parse(answer.body.toString()).outputs[0].data).toEqual(LOGITS);
  });

  it('is answered without Hugging Face, which takes other inputs', async () => {
    expect((await ask(withoutFace, '/', V1)).json).toEqual({ predictions: [LOGITS] });
    expect((await ask(withoutFace, '/', V2)).json).toMatchObject({ outputs: [{ data: LOGITS }] });
    expect(await ask(withoutFace, '/', { inputs: [ROW] })).toMatchObject({
      status: 400,
      json: { error: expect.stringMatching(/expected "instances", or "inputs" whose items have a name/) },
    });
    expect((await ask(host, '/', { inputs: [ROW] })).json).toEqual(['setosa']);
  });

  it('is not there where KServe is switched off, or another format is pinned', async () => {
    for (const other of [withoutKServe, pinned]) {
      expect(await ask(other, '/', V1)).toMatchObject({
        status: 400,
        json: { error: expect.stringContaining('expected "inputs"') },
      });
    }
  });

  it('has the errors of its protocol', async () => {
    expect(await ask(host, '/', { instances: [[1]] })).toMatchObject({
      status: 400,
      json: { error: expect.stringContaining('has the shape [1,1]') },
    });
    expect((await ask(host, '/hf/rose', V2)).status).toBe(404);
  });
});
