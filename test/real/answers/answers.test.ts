import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ESTIMATORS, expectSame, readEstimator } from '../../support/estimators.ts';
import { openApp } from '../../support/hosts/in-process.ts';
import type { TestHost } from '../../support/hosts/test-host.ts';
import { makeFolder, writeFiles } from '../../support/temporary-folder.ts';
import type { ServerCounterpart } from '../counterpart.ts';
import { type RunningServer, startServer } from '../start-server.ts';
import { counterpart } from './counterpart.ts';

const { rows, models } = ESTIMATORS;
const NAMES = Object.keys(models);
const COLUMNS = ['a', 'b', 'c', 'd'];

let folder: string;
let host: TestHost;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ternion-answers-'));
  const repository = join(folder, 'repository');
  const files = NAMES.map((name) => [`${name}/1/model.onnx`, readEstimator(name)] as const);
  await writeFiles(repository, Object.fromEntries(files));
  host = openApp({ MODEL_REPOSITORY: repository });
});

afterAll(async () => {
  await host.close();
  await rm(folder, { recursive: true });
});

function server(place: string, kind = place): ServerCounterpart {
  return {
    ...counterpart,
    start: (installed, port) => [
      join(installed, 'bin/python'),
      join(import.meta.dirname, 'serve.py'),
      kind,
      join(folder, place),
      String(port),
    ],
  };
}

async function askServer({ url }: RunningServer, path: string, body: string, type: string): Promise<unknown> {
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': type }, body });
  const text = await answer.text();
  expect(answer.status, `${path} ${body.slice(0, 80)}: ${text.slice(0, 300)}`).toBe(200);
  return JSON.parse(text);
}

async function askHost(to: TestHost, path: string, body: string, type: string): Promise<unknown> {
  const headers = { 'content-type': type };
  const answer = await to.send({ method: 'POST', path, headers, body: Buffer.from(body) });
  const text = Buffer.from(answer.body).toString();
  expect(answer.status, `${path}: ${text.slice(0, 300)}`).toBe(200);
  return JSON.parse(text);
}

describe("MLflow's scoring server", () => {
  let mlflow: RunningServer;
  beforeAll(async () => {
    mlflow = await startServer(server('mlflow'));
  });
  afterAll(() => mlflow.close());

  const records = rows.map((row) => Object.fromEntries(row.map((cell, index) => [COLUMNS[index], cell])));
  const forms: readonly (readonly [form: string, body: string, type?: string])[] = [
    ['dataframe_split', JSON.stringify({ dataframe_split: { columns: COLUMNS, data: rows } })],
    ['dataframe_records', JSON.stringify({ dataframe_records: records })],
    ['instances', JSON.stringify({ instances: rows })],
    ['inputs', JSON.stringify({ inputs: rows })],
    ['CSV', [COLUMNS, ...rows].map((row) => row.join()).join('\n'), 'text/csv'],
  ];
  // The server reads JSON and CSV as float64, which the clusters of float32 refuse. A transformer has no predict.
  const served = NAMES.filter((name) => name !== 'k-means' && name !== 'pca');

  it.each(served)('answers for %s as Ternion does, in each form', async (name) => {
    for (const [form, body, type = 'application/json'] of forms) {
      const expected = await askServer(mlflow, `/${name}/invocations`, body, type);
      const got = await askHost(host, `/serving-endpoints/${name}/invocations`, body, type);
      expectSame(got, expected, form);
    }
  });

  it.each(['ridge', 'xgboost-regressor', 'lightgbm-regressor', 'forest-numbers'])(
    'answers for the ONNX flavour of %s as Ternion does of its folder',
    async (name) => {
      const own = openApp({ MODEL_REPOSITORY: join(folder, 'mlflow/onnx') });
      try {
        for (const [form, body, type = 'application/json'] of forms) {
          const expected = await askServer(mlflow, `/onnx/${name}/invocations`, body, type);
          const got = await askHost(own, `/serving-endpoints/${name}/invocations`, body, type);
          expectSame(got, expected, form);
        }
      } finally {
        await own.close();
      }
    },
  );

  it.each(NAMES.filter((name) => /^(xgboost|lightgbm)/.test(name)))(
    'answers for the booster of %s as Ternion does with its MLmodel',
    async (name) => {
      const saved = await readFile(join(folder, 'mlflow/boosters', name, '1/MLmodel'), 'utf8');
      const own = openApp({
        MODEL_REPOSITORY: await makeFolder({
          [`${name}/1/model.onnx`]: readEstimator(name),
          [`${name}/1/MLmodel`]: saved,
        }),
      });
      try {
        for (const [form, body, type = 'application/json'] of forms) {
          const expected = await askServer(mlflow, `/booster/${name}/invocations`, body, type);
          const got = await askHost(own, `/serving-endpoints/${name}/invocations`, body, type);
          expectSame(got, expected, form);
        }
      } finally {
        await own.close();
      }
    },
  );
});

describe('MLServer', () => {
  let mlserver: RunningServer;
  beforeAll(async () => {
    mlserver = await startServer(server('mlserver'));
    await waitUntilReady(mlserver);
  });
  afterAll(() => mlserver.close());

  it.each(NAMES)('answers for %s as Ternion does', async (name) => {
    const methods = [
      ...(name === 'pca' ? [] : ['predict']),
      ...(name === 'pca' || name === 'k-means' ? ['transform'] : []),
      ...(models[name]?.probabilities && /forest|logistic|xgboost/.test(name) ? ['predict_proba'] : []),
    ];
    // Its runtime supports only the booster of LightGBM.
    const method = name.startsWith('lightgbm') && !name.endsWith('regressor') ? 'values' : 'labels';
    const tensor = { shape: [rows.length, COLUMNS.length], datatype: 'FP32', data: rows.flat() };
    for (const output of methods) {
      const ask = (inputName: string) =>
        JSON.stringify({ inputs: [{ ...tensor, name: inputName }], outputs: [{ name: output }] });
      const path = `/v2/models/${name}/infer`;
      const type = 'application/json';
      const expected = outputsOf(await askServer(mlserver, path, ask('x'), type));
      const config = { task: taskOf(name), answers: { 'open-inference': method } };
      const input = name.startsWith('catboost') ? 'features' : 'X';
      const own = openApp({
        MODEL_REPOSITORY: await makeFolder({
          [`${name}/1/model.onnx`]: readEstimator(name),
          [`${name}/1/model.json`]: JSON.stringify(config),
        }),
      });
      try {
        const got = outputsOf(await askHost(own, path, ask(input), type));
        expectSame(got, expected, output);
      } finally {
        await own.close();
      }
    }
  });
});

describe('a folder with the settings of MLServer', () => {
  let mlserver: RunningServer;
  beforeAll(async () => {
    mlserver = await startServer(server('mlserver-again', 'mlserver'));
    await waitUntilReady(mlserver);
  });
  afterAll(() => mlserver.close());

  it.each(NAMES.filter((name) => name !== 'pca'))(
    'gives for %s what MLServer gives unasked',
    async (name) => {
      const tensor = { shape: [rows.length, COLUMNS.length], datatype: 'FP32', data: rows.flat() };
      const body = JSON.stringify({ inputs: [{ ...tensor, name: 'any' }] });
      const path = `/v2/models/${name}/infer`;
      const expected = outputsOf(await askServer(mlserver, path, body, 'application/json'));
      const settings = await readFile(join(folder, 'mlserver-again', name, 'model-settings.json'), 'utf8');
      const own = openApp({
        MODEL_REPOSITORY: await makeFolder({
          [`${name}/1/model.onnx`]: readEstimator(name),
          [`${name}/1/model-settings.json`]: settings,
        }),
      });
      try {
        expectSame(outputsOf(await askHost(own, path, body, 'application/json')), expected);
      } finally {
        await own.close();
      }
    },
  );
});

function taskOf(name: string): string {
  if (/regressor|ridge|pca/.test(name)) return 'tabular-regression';
  return /several|isolation|k-means|one-class/.test(name) ? 'tabular' : 'tabular-classification';
}

/** Datatypes are those of the graph, which float64 and int32 are not. */
function outputsOf(answer: unknown): unknown {
  const { outputs } = answer as {
    outputs: readonly { name: string; shape: unknown; data: unknown; parameters: unknown }[];
  };
  return outputs.map(({ name, shape, data, parameters }) => ({ name, shape, data, parameters }));
}

/** It listens before its models are loaded. */
async function waitUntilReady({ url }: RunningServer): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const states = NAMES.map((name) =>
      fetch(`${url}/v2/models/${name}/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    if ((await Promise.all(states)).every(Boolean)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('MLServer does not load its models');
}
