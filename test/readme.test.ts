import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deployCommand } from '../functions/cli/deploy/deploy-command.ts';
import { comparable, type Exchange, readExchanges } from './support/documented-commands.ts';
import { findFreePort } from './support/hosts/child-process.ts';
import { PROJECT } from './support/project.ts';
import { startCommand } from './support/run-command.ts';
import { makeFolder } from './support/temporary-folder.ts';
import { useDocumentedServer } from './support/use-documented-server.ts';

const readme = await readFile(join(PROJECT, 'README.md'), 'utf8');
const page = async (name: string) => await readFile(join(PROJECT, 'docs', name), 'utf8');
/** The README and the pages that show commands without a server of their own. */
const texts = [readme, await page('command.md')];
const packageJson = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));

const commands = texts.flatMap((text) => readExchanges(text, 'npx ternion'));
const isServe = ({ command }: Exchange) => command.startsWith('npx ternion serve');
const exchanges = [
  ...texts.flatMap((text) => readExchanges(text)),
  ...commands.filter((exchange) => !isServe(exchange)),
];

describe('the README and the pages of the command and its settings', () => {
  const documented = useDocumentedServer();

  it('has requests and commands to run', () => {
    expect(readExchanges(readme).length).toBeGreaterThanOrEqual(3);
    expect(readExchanges(readme)).toHaveLength(readme.match(/^curl /gm)?.length ?? 0);
    expect(commands).toHaveLength(texts.join('\n').match(/^npx ternion /gm)?.length ?? 0);
  });

  it.each(exchanges)('shows the answer to $command', async ({ command, answer }) => {
    expect(comparable(await documented.shell.run(command))).toEqual(comparable(answer));
  });

  it('shows what the server of the command says, which ends at a signal', async () => {
    const { command, answer } = commands.find(isServe) ?? { command: '', answer: '' };
    const port = String(await findFreePort());
    const args = command.replaceAll('8081', port).split(' ').slice(2);
    const running = startCommand(args);
    await running.seen(/http:.*/);
    running.process.kill('SIGINT');
    const { code, stdout } = await running.outcome;
    // Commands for models, and the log of their loading, may follow.
    const shown = answer.replaceAll('8081', port);
    expect([code, stdout.slice(0, shown.length + 1)]).toEqual([0, `${shown}\n`]);
  });

  it('promises a printed URL, the models with their versions, and a command per model that works', async () => {
    expect(documented.server.output()).toContain(`http://localhost:${documented.server.port}`);
    expect(documented.server.output()).toMatch(/^iris \(versions 1, 2; live: 2\): tabular-classification$/m);
    expect(documented.server.output()).toMatch(/^digits \(versions 1; live: 1\): image-classification$/m);
    const printed = documented.server.output().match(/curl -s .*/g) ?? [];
    const answers = await Promise.all(
      printed.map(async (command) => JSON.parse(await documented.shell.run(command))),
    );
    expect(answers).toMatchObject([
      { model: 'digits', prediction: '0' },
      { model: 'iris', prediction: 'setosa' },
    ]);
  });

  it('has at most 250 lines', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(250);
  });

  it('names only scripts that exist', () => {
    const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, script]) => script);
    expect(named.filter((script) => packageJson.scripts[script ?? ''] === undefined)).toEqual([]);
  });

  it.each(['gcp', 'azure'] as const)(
    'names a packaging script that prints the command for %s',
    async (cloud) => {
      const folder = await makeFolder({});
      await symlink(join(PROJECT, 'models'), join(folder, 'models'));
      const script: string = packageJson.scripts[`package:${cloud}`];
      const [, args = ''] = / && node dist\/cli\/index\.mjs (.*)$/.exec(script) ?? [];
      const { stdout } = await startCommand(args.split(' '), '', {}, folder).outcome;
      expect(stdout).toMatch(/^packed digits 1; iris 1, 2 \(0\.\d MB\)\n/);
      const upload = cloud === 'gcp' ? 'dist/gcp' : 'dist/azure.zip';
      const settings = {
        name: 'ternion',
        region: 'europe-west1',
        resourceGroup: 'ternion',
        memory: '2Gi',
        hasServer: false,
      };
      const command = deployCommand(cloud, upload, settings);
      expect(stdout).toContain([command.program, ...command.arguments].join(' '));
    },
  );

  it('lists every environment variable that the configuration reads, with its default', async () => {
    const { parseConfig } = await import('../shared/config.ts');
    const configuration = await page('configuration.md');
    const rows = new Map(
      [...configuration.matchAll(/^\| `([A-Z_]+)` \|(?: `?([^`|]*?)`?(?: .*?)?)? \|/gm)].map(
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
