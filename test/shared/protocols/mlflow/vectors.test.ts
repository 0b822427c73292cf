import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { post } from '../../../contracts/exchanges.ts';
import { readFormatFolder } from '../../../support/format-folders.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestHost } from '../../../support/hosts/test-host.ts';
import { MODELS } from '../../../support/project.ts';
import { writeFiles } from '../../../support/temporary-folder.ts';

const PATHS = [
  '/serving-endpoints/words/invocations',
  '/endpoints/words/invocations',
  '/invocations?model_name=words',
];

let host: TestHost;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ternion-vectors-'));
  await cp(MODELS, folder, { recursive: true });
  await writeFiles(join(folder, 'words/1'), readFormatFolder('optimum/sentence-mean'));
  await writeFiles(join(folder, 'tokens/1'), readFormatFolder('optimum/bert-features'));
  host = openApp({ MODEL_REPOSITORY: folder });
});
afterAll(async () => {
  await host.close();
  await rm(folder, { recursive: true });
});

async function ask(path: string, body: unknown) {
  const answer = await host.send(post(path, body));
  return { status: answer.status, json: JSON.parse(answer.body.toString()) };
}

/** The vectors of texts as Hugging Face's clients get them. */
async function vectorsOf(texts: readonly string[], others: object = {}) {
  return (await ask('/hf/words', { inputs: texts, ...others })).json;
}

describe.each(PATHS)('input, as endpoints of embeddings take it, on %s', (path) => {
  it('is answered with a vector for each text, in the form of OpenAI', async () => {
    const [first, second] = await vectorsOf(['a text', 'another one']);
    expect(await ask(path, { input: 'a text' })).toEqual({
      status: 200,
      json: { object: 'list', model: 'words', data: [{ object: 'embedding', index: 0, embedding: first }] },
    });
    const { json } = await ask(path, {
      input: ['a text', 'another one'],
      client_request_id: '1',
      usage_context: {},
    });
    expect(json.data).toEqual([
      { object: 'embedding', index: 0, embedding: first },
      { object: 'embedding', index: 1, embedding: second },
    ]);
  });

  it('has as many numbers as are asked for', async () => {
    const [short] = await vectorsOf(['a text'], { dimensions: 4 });
    const { json } = await ask(path, { input: 'a text', dimensions: 4 });
    expect(json.data[0].embedding).toEqual(short);
    expect(json.data[0].embedding).toHaveLength(4);
  });
});

describe('input', () => {
  const [path = ''] = PATHS;

  it.each<[string, string, unknown, RegExp]>([
    [
      'another model',
      '/serving-endpoints/iris/invocations',
      { input: 'a' },
      /^Field "input" is for models that make vectors of texts; model "iris" is for tabular-classification, so expected one of "dataframe_split"/,
    ],
    [
      'a model without pooling',
      '/serving-endpoints/tokens/invocations',
      { input: 'a' },
      /^This model gives a vector for each token/,
    ],
    ['tokens', path, { input: [1, 2] }, /^Field "input.*expected/],
    ['no texts', path, { input: [] }, /"input" is empty/],
    [
      'what would change the numbers',
      path,
      { input: 'a', extra_params: { prompt: 'query' } },
      /^The request has "extra_params" beside "input"; expected only "input", "dimensions"/,
    ],
    [
      'another encoding',
      path,
      { input: 'a', encoding_format: 'base64' },
      /"encoding_format" is the string "base64"; expected "float"/,
    ],
  ])('is refused with %s', async (_, to, body, message) => {
    const { status, json } = await ask(to, body);
    expect([status, json.message]).toEqual([400, expect.stringMatching(message)]);
  });

  it('with data is one of its members', async () => {
    const { json } = await ask('/serving-endpoints/iris/invocations', {
      input: 'a',
      inputs: [[5.1, 3.5, 1.4, 0.2]],
    });
    expect(json.predictions).toEqual([[7.113542, -1.969219, -9.984419]]);
  });
});
