import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countOf } from '../../functions/cli/words.ts';
import {
  comparable,
  type DocumentedServer,
  type DocumentedShell,
  openDocumentedShell,
  readSteps,
} from '../support/documented-commands.ts';
import { EXAMPLES, versionsOf } from '../support/examples.ts';
import { findFreePort } from '../support/hosts/child-process.ts';
import { PROJECT } from '../support/project.ts';
import { runCommand } from '../support/run-command.ts';

const MOST_BYTES = 1_000_000;

const entries = await readdir(EXAMPLES, { withFileTypes: true });
/** Files that the walks of docs/models.md use. */
const DATA = 'data';
const names = entries.filter((entry) => entry.isDirectory() && entry.name !== DATA).map(({ name }) => name);
const { scripts } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));

/** Commands that need an account, or Python; test/real runs the latter. */
const ELSEWHERE = ['On a cloud', 'Train it again'];

describe.each(names)('examples/%s', async (name) => {
  const readme = await readFile(join(EXAMPLES, name, 'README.md'), 'utf8');
  const sections = readme.split(/^## /m).map((text) => ({ title: text.split('\n', 1)[0] ?? '', text }));
  const steps = sections
    .filter(({ title }) => !ELSEWHERE.includes(title))
    .flatMap(({ text }) => readSteps(text));
  const elsewhere = ELSEWHERE.map((wanted) => sections.find(({ title }) => title === wanted)?.text ?? '');
  const [clouds = '', training = ''] = elsewhere;

  let folder: string;
  let shell: DocumentedShell;
  let port: number;
  const servers: DocumentedServer[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ternion-examples-'));
    await cp(EXAMPLES, join(folder, 'examples'), { recursive: true });
    port = await findFreePort();
    shell = await openDocumentedShell(port, folder);
  });
  afterAll(async () => {
    for (const server of servers.reverse()) await server.stop();
    await shell.close();
    await rm(folder, { recursive: true });
  });

  /** The last command of a block that starts a server is the server. */
  async function take(command: string): Promise<string | undefined> {
    if (/npx ternion serve/.test(command)) {
      servers.push(await shell.serve(command, /Ternion serves/, { PORT: String(port) }));
    } else if (/^node \S+\/web\.mjs/.test(command)) {
      const own = String(await findFreePort());
      servers.push(await shell.serve(command, /http:/, { PORT: own }));
    } else {
      return (await shell.run(command)).replaceAll(folder, '/home/you/ternion');
    }
    return undefined;
  }

  // One after the other, as a reader runs them, because some need the results of earlier ones.
  it.each(steps)('has the answer to $command', async ({ command, answer }) => {
    const printed = await take(command);
    if (answer !== undefined) expect(comparable(printed ?? '')).toEqual(comparable(answer));
  });

  it('shows every answer of a model', () => {
    const asking = steps.filter(({ command }) => command.includes('curl '));
    expect(asking.filter(({ answer }) => answer === undefined)).toEqual([]);
    expect(steps.filter(({ answer }) => answer !== undefined).length).toBeGreaterThan(2);
  });

  it('is deployed by existing commands, with its own models', () => {
    const commands = readSteps(clouds).flatMap(({ command }) => command.split('\n'));
    const called = commands.map((command) => /^npm run (\S+) -- --models (\S+)/.exec(command));
    expect(called.map((match) => match?.[1])).toEqual(['deploy:aws', 'package:gcp', 'package:azure']);
    expect(called.filter((match) => scripts[match?.[1] ?? ''] === undefined)).toEqual([]);
    const own = steps.some(({ command }) => command.startsWith('cp -r '))
      ? 'my-platform'
      : `examples/${name}/models`;
    expect(called.map((match) => match?.[2])).toEqual([own, own, own]);
  });

  it('is trained by its own script', () => {
    expect(readSteps(training)).toEqual([
      { command: `pip install -r examples/${name}/requirements.txt\npython examples/${name}/train.py` },
    ]);
  });

  it.each(versionsOf(name))('answers for %s as its library does', async (version) => {
    const source = join(EXAMPLES, name, 'models', version);
    const { cases } = JSON.parse(await readFile(join(source, 'reference.json'), 'utf8'));
    expect(cases.length).toBeGreaterThan(0);
    const repository = join(folder, 'checked');
    const { code, stdout, stderr } = await runCommand([
      'add',
      source,
      '--name',
      version.replace('/', '-'),
      '-r',
      repository,
    ]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(
      `it answers the ${countOf(cases.length, 'request')} of reference.json as expected\n`,
    );
  });
});

it('have models of less than a megabyte in total', async () => {
  const files = await readdir(EXAMPLES, { recursive: true, withFileTypes: true });
  const paths = files.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(paths.map(async (path) => (await readFile(path)).length));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MOST_BYTES);
});
