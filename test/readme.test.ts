import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployCommand } from '../infra/build/deploy-command.ts';
import { findFreePort } from './hosts/child-process.ts';
import { PROJECT } from './hosts/environment.ts';

const readme = await readFile(join(PROJECT, 'README.md'), 'utf8');
const packageJson = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));

/** Each shell block with a JSON block behind it: a request and its answer. */
const exchanges = [...readme.matchAll(/```sh\n(curl [^`]*)```\n\n```json\n([^`]*)```/g)].map(
  ([, command = '', answer = '']) => ({
    command: command.trim(),
    answer,
  }),
);

describe('the README', () => {
  let folder: string;
  let server: { readonly port: number; readonly output: () => string; stop(): Promise<void> };

  beforeAll(async () => {
    folder = await makeBinFolder();
    server = await startAsDocumented();
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const runShell = async (command: string) => {
    const here = command.replaceAll('localhost:8080', `127.0.0.1:${server.port}`);
    const path = `${process.env.PATH}${delimiter}${folder}`;
    const { stdout } = await promisify(execFile)('sh', ['-c', here], {
      cwd: PROJECT,
      env: { ...process.env, PATH: path },
    });
    return JSON.parse(stdout);
  };

  it('has requests to run', () => {
    expect(exchanges.length).toBeGreaterThanOrEqual(4);
  });

  it.each(exchanges)('shows the answer to $command', async ({ command, answer }) => {
    expect(comparable(await runShell(command))).toEqual(comparable(JSON.parse(answer)));
  });

  it('promises a printed URL, the models with their versions, and a command per model that works', async () => {
    expect(server.output()).toContain(`http://localhost:${server.port}`);
    expect(server.output()).toMatch(/^iris \(versions 1, 2; live: 2\): tabular-classification$/m);
    expect(server.output()).toMatch(/^digits \(versions 1; live: 1\): image-classification$/m);
    const commands = server.output().match(/curl -s .*/g) ?? [];
    const answers = await Promise.all(
      commands.map((command) => runShell(command.replace('localhost', '127.0.0.1'))),
    );
    expect(answers).toMatchObject([
      { model: 'digits', prediction: '0' },
      { model: 'iris', prediction: 'setosa' },
    ]);
  });

  it('names only scripts that exist', () => {
    const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, script]) => script);
    expect(named.filter((script) => packageJson.scripts[script ?? ''] === undefined)).toEqual([]);
  });

  it.each(['gcp', 'azure'] as const)(
    'names a packaging script that prints the command for %s',
    async (cloud) => {
      const { stdout } = await promisify(execFile)(process.execPath, ['infra/package.ts', cloud], {
        cwd: PROJECT,
      });
      const upload = cloud === 'gcp' ? 'dist/gcp' : 'dist/azure.zip';
      const settings = { name: 'ternion', region: 'europe-west1', resourceGroup: 'ternion', memory: '2Gi' };
      const command = deployCommand(cloud, upload, settings);
      expect(stdout).toContain([command.program, ...command.arguments].join(' '));
    },
  );

  it('lists every environment variable that the configuration reads, with its default', async () => {
    const { parseConfig } = await import('../shared/config.ts');
    const rows = new Map(
      [...readme.matchAll(/^\| `([A-Z_]+)` \|(?: `?([^`|]*?)`?(?: .*?)?)? \|/gm)].map(
        ([, name = '', value = '']) => [name, value],
      ),
    );
    const { limits } = parseConfig({});
    expect(rows.get('MAX_BODY_BYTES')).toBe(String(limits.bodyBytes));
    expect(rows.get('MAX_IMAGE_PIXELS')).toBe(String(limits.imagePixels));
    expect(rows.get('MAX_BATCH_SIZE')).toBe(String(limits.batchSize));
    expect(rows.get('MAX_TENSOR_ELEMENTS')).toBe(String(limits.tensorElements));
    expect(rows.get('MAX_JSON_DEPTH')).toBe(String(limits.jsonDepth));
    const source = await readFile(join(PROJECT, 'shared/config.ts'), 'utf8');
    const variables = [...source.matchAll(/^ {2}([A-Z][A-Z_]+):/gm)].map(([, name]) => name ?? '');
    expect(variables.length).toBeGreaterThan(10);
    expect(variables.filter((name) => !rows.has(name))).toEqual([]);
  });
});

/** What `npm start` runs after its build, on a port of its own. */
async function startAsDocumented(): Promise<{ port: number; output: () => string; stop(): Promise<void> }> {
  const port = await findFreePort();
  const [build, start = ''] = packageJson.scripts.start.split(' && ');
  expect(build).toBe('node esbuild.config.mjs local');
  const [program = '', ...args] = start.split(' ');
  expect(program).toBe('node');
  const child = spawn(process.execPath, args, {
    cwd: PROJECT,
    env: { ...process.env, PORT: String(port), INTRA_OP_THREADS: '2' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  while (!/curl -s .*models\/iris/.test(output)) {
    if (child.exitCode !== null) throw new Error(`npm start ended: ${output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    port,
    output: () => output,
    stop: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** A folder with a stand-in for curl, behind the path: it serves machines that have none. */
async function makeBinFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-bin-'));
  const script = join(folder, 'curl');
  await writeFile(
    script,
    `#!/bin/sh\nexec "${process.execPath}" "${join(PROJECT, 'test/fixtures/curl.ts')}" "$@"\n`,
  );
  await chmod(script, 0o755);
  return folder;
}

/** Without what differs from call to call; numbers to five decimals, as threads change the last digits of a sum. */
function comparable(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, member: unknown) => {
    if (key === 'inference_time_ms' || key === 'request_id') return typeof member;
    return typeof member === 'number' ? Number(member.toFixed(5)) : member;
  });
}
