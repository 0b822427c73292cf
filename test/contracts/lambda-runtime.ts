import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TEST_ENVIRONMENT } from '../support/hosts/environment.ts';
import { copyBundle } from '../support/hosts/lambda-bundle.ts';
import { EVENT_SOURCES, type EventSource, fromResult, toEvent } from '../support/hosts/lambda-events.ts';
import type { TestRequest } from '../support/hosts/test-host.ts';
import {
  type LambdaEnvironment,
  type LambdaOptions,
  openLambdaEnvironment,
} from '../support/lambda-environment.ts';
import { MOST_INIT_MS } from '../support/lambda-limits.ts';
import { PROJECT } from '../support/project.ts';
import { get, post, raw } from './exchanges.ts';

const SETOSA = post('/predict', { features: [5.1, 3.5, 1.4, 0.2] });
const DIRECT = { model: 'iris', features: [5.1, 3.5, 1.4, 0.2] };
const { MODEL_REPOSITORY, INTRA_OP_THREADS } = TEST_ENVIRONMENT;

/** What a built target does on Lambda, with each client of the runtime API. */
export function describeLambdaBundle(name: string, target: string, runtime: () => LambdaOptions['runtime']) {
  describe(`dist/${target} on Lambda with ${name}`, () => {
    const open = async (
      environment: Readonly<Record<string, string>> = {},
      change?: (folder: string) => Promise<void>,
    ) => {
      const folder = await copyBundle(target);
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      await change?.(folder);
      const lambda = await openLambdaEnvironment({
        folder,
        runtime: runtime(),
        environment: { LOG_LEVEL: 'silent', MODEL_REPOSITORY, INTRA_OP_THREADS, ...environment },
      });
      onTestFinished(async () => void (await lambda.shutdown()));
      return { folder, lambda };
    };

    it('answers the events of all sources, with text and with bytes', async () => {
      const { lambda } = await open();
      expect(lambda.init.failure).toBeUndefined();
      const png = await readFile(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
      const photo = raw('/models/digits/predict', png, { 'content-type': 'image/png' });
      for (const source of EVENT_SOURCES) {
        expect(await ask(lambda, source, SETOSA), source).toMatchObject([200, { prediction: 'setosa' }]);
        expect(await ask(lambda, source, photo), source).toMatchObject([200, { prediction: '7' }]);
        expect(await ask(lambda, source, get('/nothing')), source).toMatchObject([404, { code: 404 }]);
      }
      const { isError, payload } = await lambda.invoke(DIRECT);
      expect([isError, JSON.parse(payload.toString())]).toMatchObject([false, { prediction: 'setosa' }]);
      expect(lambda.output()).toBe('');
    });

    it('writes lines that CloudWatch makes metrics of, and refuses to be asked for them', async () => {
      for (const level of ['info', 'error']) {
        const { lambda } = await open({ LOG_LEVEL: level, EMF_METRICS: 'Requests,Errors,ColdStarts' });
        for (const request of [SETOSA, SETOSA, get('/metrics')]) await ask(lambda, 'http-api', request);
        const lines = lambda
          .output()
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
        const counted = lines.filter((line) => '_aws' in line);
        expect(counted.map(({ Requests, Errors, ColdStarts }) => [Requests, Errors, ColdStarts])).toEqual([
          [1, 0, 1],
          [1, 0, 0],
          [1, 0, 0],
        ]);
        expect(counted.map(({ model, variant }) => [model, variant])).toEqual([
          ['iris', 'live'],
          ['iris', 'live'],
          [undefined, undefined],
        ]);
        expect(counted.map(({ message }) => message)).toEqual(
          Array(3).fill(level === 'info' ? 'request' : undefined),
        );
        expect(await ask(lambda, 'http-api', get('/metrics'))).toMatchObject([
          404,
          { error: expect.stringContaining('(EMF_METRICS)') },
        ]);
      }
      const { lambda } = await open({ EMF_METRICS: 'latency' });
      expect(lambda.init.failure).toMatchObject({ errorType: 'Runtime.ExitError' });
      expect(lambda.output()).toContain('EMF_METRICS="latency" must be names from Requests, Errors, ');
    });

    it('fails the invocation for an event that it cannot serve, and serves the next one', async () => {
      const { lambda } = await open();
      const { pid } = lambda.process;
      const failed = await lambda.invoke({ Records: [{ eventSource: 'aws:sqs', body: '{}' }] });
      expect([failed.isError, JSON.parse(failed.payload.toString())]).toMatchObject([
        true,
        {
          errorType: 'UnknownEventError',
          errorMessage: expect.stringContaining('an SQS event with 1 record (eventSource aws:sqs)'),
        },
      ]);
      expect(await ask(lambda, 'http-api', SETOSA)).toMatchObject([200, { prediction: 'setosa' }]);
      expect(lambda.process.pid).toBe(pid);
    });

    it('reports a configuration that cannot be used, and tries it again with the first event', async () => {
      const { lambda } = await open({ MAX_BATCH_SIZE: 'many' });
      const failure = {
        errorType: 'Runtime.ExitError',
        errorMessage: 'Runtime exited with error: exit status 1',
      };
      expect(lambda.init.failure).toEqual(failure);
      expect(lambda.output()).toContain('MAX_BATCH_SIZE="many"');
      const { isError, payload } = await lambda.invoke(DIRECT);
      expect([isError, JSON.parse(payload.toString())]).toEqual([true, failure]);
    });

    it('reports code that cannot be loaded', async () => {
      const { lambda } = await open({}, (folder) => rm(join(folder, 'index.mjs')));
      expect(lambda.init.failure?.errorMessage).toMatch(/Cannot find module|ERR_MODULE_NOT_FOUND/);
    });

    it('answers 413 where an answer would be more than Lambda passes on', async () => {
      const { lambda } = await open();
      expect(await ask(lambda, 'http-api', inferRows(200_000))).toMatchObject([200, { model_name: 'iris' }]);
      expect(await ask(lambda, 'http-api', inferRows(280_000))).toMatchObject([
        413,
        { error: expect.stringContaining('6291456') },
      ]);
    });

    it('keeps answering after it was stopped, without counting that time in any request', async () => {
      const { lambda } = await open({ LOG_LEVEL: 'info' });
      expect(await ask(lambda, 'http-api', SETOSA)).toMatchObject([200, {}]);
      const cpuBefore = await cpuTicks(lambda);
      const stoppedAt = performance.now();
      await wait(1_000);
      expect(await stateOf(lambda)).toBe('T');
      expect(await cpuTicks(lambda)).toBe(cpuBefore);
      const stoppedFor = performance.now() - stoppedAt;
      expect(await ask(lambda, 'http-api', SETOSA)).toMatchObject([200, {}]);
      const requests = lambda
        .output()
        .split('\n')
        .filter((line) => line.includes('"cold_start"'))
        .map((line) => JSON.parse(line.slice(line.indexOf('{'))));
      expect(requests.map(({ cold_start }) => cold_start)).toEqual([true, false]);
      for (const { duration_ms } of requests) expect(duration_ms).toBeLessThan(stoppedFor);
    });

    it('starts cold in time, each time the same, and leaves no file', async ({ annotate }) => {
      const user = await mkdtemp(join(tmpdir(), 'ternion-user-'));
      onTestFinished(() => rm(user, { recursive: true, force: true }));
      const [home, temporary] = [join(user, 'home'), join(user, 'tmp')];
      for (const folder of [home, temporary]) await mkdir(folder);
      for (const start of ['first', 'second']) {
        const { folder, lambda } = await open({
          HOME: home,
          TMPDIR: temporary,
          ORT_DISABLE_TELEMETRY: '0',
          PRELOAD_MODELS: '*',
        });
        const files = await readdir(folder, { recursive: true });
        expect(lambda.init.failure).toBeUndefined();
        expect(lambda.init.durationMs).toBeLessThan(MOST_INIT_MS);
        const { durationMs } = await lambda.invoke(DIRECT);
        await annotate(
          `${start} start: init ${Math.round(lambda.init.durationMs)} ms, answer ${durationMs.toFixed(1)} ms`,
        );
        await lambda.shutdown();
        expect(await readdir(folder, { recursive: true })).toEqual(files);
        expect([await readdir(home), await readdir(temporary)]).toEqual([[], []]);
      }
    });
  });
}

/** The status and the JSON of an answer. */
async function ask(lambda: LambdaEnvironment, source: EventSource, request: TestRequest) {
  const { isError, payload } = await lambda.invoke(toEvent(source, request));
  expect(isError, payload.toString()).toBe(false);
  await lambda.frozen();
  const { status, body } = fromResult(source, request.method, JSON.parse(payload.toString()));
  return [status, JSON.parse(body.toString())];
}

/** Rows as bytes, whose answer is numbers as text: at least three times as long. */
function inferRows(rows: number): TestRequest {
  const values = Float32Array.from({ length: rows * 4 }, (_, index) => index / 3);
  const head = JSON.stringify({
    inputs: [
      {
        name: 'features',
        shape: [rows, 4],
        datatype: 'FP32',
        parameters: { binary_data_size: values.byteLength },
      },
    ],
  });
  return raw('/v2/models/iris/infer', Buffer.concat([Buffer.from(head), Buffer.from(values.buffer)]), {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(head.length),
  });
}

/** The fields of /proc/<pid>/stat after the name of the command. Source: proc(5). */
async function readStat(lambda: LambdaEnvironment): Promise<readonly string[]> {
  const text = await readFile(`/proc/${lambda.process.pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

async function stateOf(lambda: LambdaEnvironment): Promise<string | undefined> {
  return (await readStat(lambda))[0];
}

async function cpuTicks(lambda: LambdaEnvironment): Promise<number> {
  const fields = await readStat(lambda);
  return Number(fields[11]) + Number(fields[12]);
}
