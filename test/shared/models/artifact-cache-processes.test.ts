import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TEMPORARY_FOLDER } from '../../../shared/models/artifact-folder.ts';
import { MARKS_FOLDER } from '../../../shared/models/artifact-leases.ts';
import { type S3Server, startS3Server } from '../../support/s3-server.ts';

const SCRIPT = fileURLToPath(new URL('../../support/fetch-folder.ts', import.meta.url));
const PART_BYTES = 64 * 1024;
const model = Buffer.alloc(4 * PART_BYTES, 'weights');
const config = Buffer.from('{"task":"tensor"}');
const files = {
  'iris/1/model.json': config,
  'iris/1/model.onnx': model,
  'iris/1/files.json': JSON.stringify({
    files: Object.entries({ 'model.json': config, 'model.onnx': model }).map(([path, content]) => ({
      path,
      sizeBytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    })),
  }),
};

let server: S3Server;
let folder: string;

beforeEach(async () => {
  server = await startS3Server({ files });
  folder = await mkdtemp(join(tmpdir(), 'ternion-processes-'));
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

function startFetch(): ChildProcess {
  const { endpoint, credentials } = server.client;
  const parameters = [SCRIPT, endpoint, credentials.accessKeyId, folder, 'iris/1'];
  return spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What the child wrote: the path of the folder. */
async function finish(child: ChildProcess): Promise<string> {
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(output);
  return output;
}

const requestsFor = (name: string) => server.requests.filter(({ key }) => key === `iris/1/${name}`).length;
const finished = async () =>
  (await readdir(folder, { recursive: true })).filter((path) => path.includes('partial/'));

describe('fetchFolder in several processes', () => {
  it('resumes where a killed process was', async () => {
    const halfway = { kind: 'hang', afterBytes: PART_BYTES / 2 } as const;
    server.addFault({ when: ({ range }) => range?.start === 2 * PART_BYTES, effect: halfway });
    const child = startFetch();
    await vi.waitFor(
      async () => {
        expect((await finished()).map((path) => path.replace(/^.*\//, ''))).toEqual(['model.json']);
        expect(server.requests.some(({ sentBytes }) => sentBytes === PART_BYTES / 2)).toBe(true);
      },
      { timeout: 20_000 },
    );
    child.kill('SIGKILL');
    await once(child, 'close');
    const left = await readdir(join(folder, TEMPORARY_FOLDER));
    expect(left.map((name) => name.split('-')[1])).toEqual([String(child.pid)]);
    expect((await readdir(folder)).filter((name) => /^[0-9a-f]{64}$/.test(name))).toEqual([]);
    const before = { config: requestsFor('model.json'), model: requestsFor('model.onnx') };
    expect(before).toEqual({ config: 1, model: 4 });

    server.clearFaults();
    const path = await finish(startFetch());
    expect((await readFile(join(path, 'model.onnx'))).equals(model)).toBe(true);
    expect((await readFile(join(path, 'model.json'))).equals(config)).toBe(true);
    // The finished file is used again; the one that was being written is downloaded again.
    expect(requestsFor('model.json') - before.config).toBe(0);
    expect(requestsFor('model.onnx') - before.model).toBe(4);
    expect(await readdir(join(folder, TEMPORARY_FOLDER))).toEqual([]);
    expect(await finished()).toEqual([]);
  }, 30_000);

  it('gives every process the same whole folder when they start together', async () => {
    const slow = { kind: 'slow', chunkBytes: 4096, pauseMs: 1 } as const;
    server.addFault({ when: ({ key }) => key === 'iris/1/model.onnx', effect: slow });
    const paths = await Promise.all([startFetch(), startFetch(), startFetch()].map(finish));
    const [path = ''] = paths;
    expect(paths).toEqual([path, path, path]);
    expect((await readFile(join(path, 'model.onnx'))).equals(model)).toBe(true);
    expect((await readdir(folder)).sort()).toEqual([
      MARKS_FOLDER,
      TEMPORARY_FOLDER,
      path.slice(folder.length + 1),
    ]);
    expect(await readdir(join(folder, TEMPORARY_FOLDER))).toEqual([]);
  }, 30_000);
});
