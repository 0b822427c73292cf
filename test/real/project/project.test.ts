import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { codeBlocksOf } from '../../../docs/site/markdown.ts';
import { type Packed, packAll } from '../../bundles/npm/installed.ts';
import { comparable } from '../../support/documented-commands.ts';
import {
  type ChildHost,
  findFreePort,
  openAzureBundle,
  openFunctionsFramework,
} from '../../support/hosts/child-process.ts';
import { openLambdaEnvironment } from '../../support/lambda-environment.ts';
import { type NpmRegistry, startNpmRegistry } from '../../support/npm-registry.ts';
import { PROJECT } from '../../support/project.ts';
import { folderOf } from '../installation.ts';
import { awsRuntime } from '../lambda-ric/runtime.ts';
import { counterpart as nodes } from '../nodes/counterpart.ts';
import { counterpart as training } from '../table-export/counterpart.ts';

const PAGE = readFileSync(join(PROJECT, 'docs/project.md'), 'utf8');
const HOME = { postcode: '0580', area: 95, rooms: 4 };
const PRICE = { price: 350 };

/** Where the blocks of the page go that are files. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  python: ['train.py'],
  ts: ['ternion.config.ts', 'app.mjs'],
  js: ['test/prices.test.mjs'],
};
const MODEL_JSON = 'exports/prices/model.json';

/** After it the shell prints where it is. */
const MARK = '--- now in ';

const folderOfNode = (name: string) => join(folderOf(nodes), 'node_modules', name, 'bin');

let packed: Packed;
let registry: NpmRegistry;
/** What npm has downloaded, for all versions of Node. */
let cache: string;

beforeAll(async () => {
  packed = await packAll();
  const staged = [...packed.packages].map(
    ([name, each]) => [name, { folder: join(packed.folder, name), packed: each }] as const,
  );
  registry = await startNpmRegistry(new Map(staged));
  cache = await mkdtemp(join(tmpdir(), 'ternion-npm-cache-'));
});

afterAll(async () => {
  await registry.close();
  await rm(packed.folder, { recursive: true });
  await rm(cache, { recursive: true });
});

describe.each([
  ['20', () => folderOfNode('node20')],
  ['22', () => folderOfNode('node22')],
  ['24', () => dirname(process.execPath)],
])('docs/project.md on Node %s', (version, node) => {
  let empty: string;
  let project: string;
  let environment: NodeJS.ProcessEnv;

  beforeAll(async () => {
    empty = await realpath(await mkdtemp(join(tmpdir(), 'ternion-project-')));
    // Without the variables that npm sets for its scripts, such as the one that runs these tests.
    const outer = Object.entries(process.env).filter(([name]) => !/^npm_(?!config_)/i.test(name));
    environment = {
      ...Object.fromEntries(outer),
      PATH: [node(), join(folderOf(training), 'bin'), process.env.PATH].join(delimiter),
      npm_config_registry: registry.url,
      npm_config_cache: cache,
      npm_config_yes: 'true',
      npm_config_audit: 'false',
    };
  });
  afterAll(() => rm(empty, { recursive: true }));

  /** Runs commands as somebody types them, who stays in the folder that they lead to. */
  async function run(
    commands: string,
    cwd: string,
  ): Promise<{ readonly stdout: string; readonly cwd: string }> {
    const script = `set -e\n${commands}\nprintf '%s%s' '${MARK}' "$PWD"`;
    const shell = spawn('sh', ['-c', script], { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    shell.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    shell.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = await once(shell, 'close');
    if (code !== 0) throw new Error(`${commands} ended with ${code}:\n${stdout}\n${stderr}`);
    const [printed = '', folder = ''] = stdout.split(MARK);
    return { stdout: printed, cwd: folder };
  }

  async function writeBlock(path: string, content: string): Promise<void> {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), `${content}\n`);
  }

  it('is a walk whose commands print what it says', async () => {
    expect((await run('node --version', empty)).stdout).toMatch(`v${version}.`);
    const files = structuredClone(FILES);
    let cwd = empty;
    let printed = '';
    let answers = 0;
    for (const { language, content } of codeBlocksOf(PAGE)) {
      if (language === 'sh') {
        ({ stdout: printed, cwd } = await run(content, cwd));
        project = cwd;
      } else if (language === 'text') {
        expect(String(comparable(printed.trim()))).toMatch(endOf(String(comparable(content.trim()))));
        answers += 1;
      } else if (language === 'json') {
        const config: object = JSON.parse(await readFile(join(project, MODEL_JSON), 'utf8'));
        await writeBlock(MODEL_JSON, JSON.stringify({ ...config, ...JSON.parse(`{${content}}`) }));
      } else {
        const [path, ...others] = files[language] ?? [];
        if (path === undefined) throw new Error(`nothing is known about this block:\n${content}`);
        await writeBlock(path, content);
        Object.assign(files, { [language]: others });
      }
    }
    expect(answers).toBe(4);
    expect(files).toEqual({ python: [], ts: [], js: [] });
    expect(existsSync(join(project, 'cdk.out/Ternion.template.json'))).toBe(true);
  });

  it('has tests that fail when the code answers something else', async () => {
    const path = join(project, 'ternion.config.ts');
    const code = await readFile(path, 'utf8');
    await writeFile(path, code.replace('price: Math.round', 'price: Math.floor'));
    await expect(run('npm test', project)).rejects.toThrow(/fail 1/);
    await writeFile(path, code);
  });

  it('serves', async () => {
    const port = await findFreePort();
    const server = spawn('npm', ['start'], {
      cwd: project,
      env: { ...environment, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    onTestFinished(() => endGroup(server));
    await waitFor(server, /Ternion serves/);
    const post = async (home: object) => {
      const body = JSON.stringify({ features: home });
      const response = await fetch(`http://localhost:${port}/models/prices/predict`, {
        method: 'POST',
        body,
      });
      return [response.status, await response.json()];
    };
    expect(await post(HOME)).toEqual([200, expect.objectContaining(PRICE)]);
    expect(await post({ ...HOME, postcode: '1' })).toEqual([
      400,
      expect.objectContaining({ error: 'Field "instances[0].postcode" is not a known postcode.' }),
    ]);
  });

  it('is a Lambda function for the runtime of AWS', async () => {
    await run(`npx ternion build aws-${process.arch}`, project);
    const lambda = await openLambdaEnvironment({
      folder: join(project, `dist/aws-${process.arch}`),
      runtime: awsRuntime(),
      environment: { LOG_LEVEL: 'silent' },
    });
    onTestFinished(async () => void (await lambda.shutdown()));
    expect(lambda.init.failure).toBeUndefined();
    const { isError, payload } = await lambda.invoke({ model: 'prices', features: HOME });
    expect([isError, JSON.parse(payload.toString())]).toEqual([false, expect.objectContaining(PRICE)]);
  });

  it.each<[string, (folder: string) => Promise<ChildHost>]>([
    ['gcp', (folder) => openFunctionsFramework(folder, { MODEL_REPOSITORY: '' })],
    ['azure', (folder) => openAzureBundle(folder, { MODEL_REPOSITORY: '' })],
  ])('is a function for %s', async (cloud, open) => {
    const { stdout } = await run(`npx ternion package ${cloud}`, project);
    expect(stdout).toMatch(/^packed prices 1, 2 \(0\.0 MB\)\nmade dist\/\w+/);
    const host = await open(join(project, 'dist', cloud));
    onTestFinished(() => host.close());
    const answer = await host.send({
      method: 'POST',
      path: '/models/prices/predict',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ features: HOME })),
    });
    expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([
      200,
      expect.objectContaining(PRICE),
    ]);
  });

  it('is a stack of an own CDK app', async () => {
    await writeBlock('cdk.json', JSON.stringify({ app: 'node app.mjs' }));
    await run('npx ternion synth aws', project);
    const template = await readFile(join(project, 'cdk.out/Homes.template.json'), 'utf8');
    expect(template).toContain('"AWS::Lambda::Function"');
  });
});

/** npm prints lines of its own before those of a command. */
function endOf(text: string): RegExp {
  return new RegExp(`(?:^|\\n)${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
}

async function waitFor(server: ChildProcess, pattern: RegExp): Promise<void> {
  let output = '';
  server.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  while (!pattern.test(output)) {
    if (server.exitCode !== null) throw new Error(`the server has ended: ${output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** npm starts a shell, which starts the server. */
async function endGroup(server: ChildProcess): Promise<void> {
  if (server.pid === undefined) return;
  const ended = once(server, 'exit');
  process.kill(-server.pid, 'SIGTERM');
  await ended;
}
