import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { get, post, raw } from '../contracts/exchanges.ts';
import { openAzureBundle, openFunctionsFramework } from '../support/hosts/child-process.ts';
import { toEvent } from '../support/hosts/lambda-events.ts';
import { sendOverHttp } from '../support/hosts/test-host.ts';
import { PROJECT } from '../support/project.ts';
import { startCommand, startNode } from '../support/run-command.ts';
import { RUNNABLE } from '../support/targets.ts';

const isBuiltForHere = RUNNABLE.some(({ name }) => name === 'gcp');
const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/00-label-0.png'));
const SETOSA = { features: [5.1, 3.5, 1.4, 0.2] };

describe('the local server', () => {
  it('ends with one sentence when its configuration is wrong', async () => {
    await expect(
      openFunctionsFramework('local', { MAX_BATCH_SIZE: 'many', MODEL_REPOSITORY: 'gs://bucket' }),
    ).rejects.toThrow(/exited with 1: MAX_BATCH_SIZE="many" must be a whole number in digits\.\s*$/);
    await expect(openFunctionsFramework('local', { MODEL_REPOSITORY: 'gs://bucket' })).rejects.toThrow(
      'MODEL_REPOSITORY="gs://bucket" cannot be read by this host; it reads a folder, s3://.',
    );
  });
});

/** Node's own HTTP client with its WebSockets: about 35 ms of a start. It is loaded only through `globalThis` and `http`. */
describe("Node's HTTP client is not loaded by a start and an answer", () => {
  const seen = 'process.moduleLoadList.filter((name) => name.endsWith("undici/undici"))';

  it.each(RUNNABLE.filter(({ name }) => name.startsWith('aws')))('of dist/$name', async ({ name }) => {
    const event = toEvent('http-api', post('/models/iris/predict', SETOSA));
    const script = `
      const { handler } = await import(${JSON.stringify(join(PROJECT, 'dist', name, 'index.mjs'))});
      const invocation = { awsRequestId: 'a', getRemainingTimeInMillis: () => 30_000 };
      const { statusCode } = await handler(${JSON.stringify(event)}, invocation);
      console.log(JSON.stringify([statusCode, ${seen}]));`;
    const { stdout } = await startNode(['--input-type=module', '--eval', script], { LOG_LEVEL: 'silent' })
      .outcome;
    expect(JSON.parse(stdout)).toEqual([200, []]);
  });

  it('of ternion serve', async () => {
    const hook = `process.on('exit', () => console.log('loaded', ${seen}));`;
    const serve = startCommand(['serve', '--port', '0', '--grace', '0'], '', {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}`,
    });
    const url = await serve.seen(/http:\/\/localhost:\d+/);
    const { status } = await sendOverHttp(Number(new URL(url).port), post('/models/iris/predict', SETOSA));
    expect(status).toBe(200);
    serve.process.kill('SIGTERM');
    expect((await serve.outcome).stdout).toContain('loaded []');
  });
});

// A process lists the libraries it has mapped only under Linux, which is also where the deployable bundles run.
if (isBuiltForHere && existsSync('/proc/self/maps')) {
  describe('a bundle', () => {
    it('loads the image decoder with the first image and not before', async () => {
      const host = await openFunctionsFramework('gcp');
      const maps = () => readFileSync(`/proc/${host.process.pid}/maps`, 'utf8');
      expect((await host.send(post('/predict', SETOSA))).status).toBe(200);
      expect(maps()).toContain('libonnxruntime');
      expect(maps()).not.toContain('libvips');
      expect((await host.send(raw('/predict', PNG, { 'content-type': 'image/png' }))).status).toBe(200);
      expect(maps()).toContain('libvips');
      await host.close();
    });

    it('says in /health that its native library is broken, and keeps answering', async () => {
      const host = await openAzureBundle('azure', {}, async (folder) => {
        await writeFile(join(folder, 'native/onnxruntime/onnxruntime_binding.node'), 'not a library');
      });
      const health = await host.send(get('/health'));
      expect(health.status).toBe(503);
      expect(JSON.parse(health.body.toString())).toMatchObject({
        status: 'error',
        reason: 'The inference runtime cannot be loaded on this host; the log says why.',
      });
      const answer = await host.send(post('/predict', SETOSA));
      expect(answer.status).toBe(503);
      expect(JSON.parse(answer.body.toString())).toMatchObject({ error_code: 'MODEL_UNAVAILABLE' });
      expect((await host.send(get('/models'))).status).toBe(200);
      await host.close();
    });

    it('answers every request with 503 and logs the reason when its configuration is wrong on Azure', async () => {
      const host = await openAzureBundle('azure', { MAX_BATCH_SIZE: 'many' });
      const health = await host.send(get('/health'));
      expect(health.status).toBe(503);
      expect(JSON.parse(health.body.toString())).toMatchObject({
        error_code: 'TEMPORARILY_UNAVAILABLE',
        code: 503,
      });
      expect(host.output()).toContain('MAX_BATCH_SIZE="many" must be a whole number in digits.');
      await host.close();
    });
  });
}
