import { globSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  comparable,
  type DocumentedShell,
  type LocalServer,
  openDocumentedShell,
  readExchanges,
  readScripts,
  startAsDocumented,
} from './support/documented-commands.ts';
import { PROJECT } from './support/project.ts';

const FOLDER = join(PROJECT, 'docs');
const pages = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.md'))
  .map((name) => readPage(FOLDER, name));
/** The walks of models.md need models of their own: test/docs/models.test.ts runs them. */
const onExampleModels = pages.filter(({ name }) => name !== 'models.md');
const others = ['README.md', 'CONTRIBUTING.md', ...globSync('examples/{*/,}README.md', { cwd: PROJECT })].map(
  (path) => readPage(PROJECT, path),
);

describe('the documentation', () => {
  let server: LocalServer;
  let shell: DocumentedShell;

  beforeAll(async () => {
    server = await startAsDocumented();
    shell = await openDocumentedShell(server.port);
  });
  afterAll(async () => {
    await server.stop();
    await shell.close();
  });

  it.each(onExampleModels)('in $name shows the answer to each command for the local server', ({ text }) => {
    const commands = text.match(/^curl .*localhost/gm) ?? [];
    expect(readExchanges(text)).toHaveLength(commands.length);
  });

  it.each(onExampleModels.flatMap(({ text }) => readExchanges(text)))(
    'shows the answer to $command',
    async ({ command, answer }) => {
      expect(comparable(await shell.run(command))).toEqual(comparable(answer));
    },
  );

  it.each(onExampleModels.flatMap(({ text }) => readScripts(text)))(
    'shows what is printed by $command',
    async ({ command, answer }) => {
      expect(comparable(await shell.runScript(command))).toEqual(comparable(answer));
    },
  );

  it.each([...pages, ...others])('in $name links only to what there is', async ({ folder, text }) => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g)];
    const broken = [];
    for (const [link, path = '', anchor = ''] of links) {
      const target = path === '' ? text : await readFile(join(folder, path), 'utf8').catch(() => undefined);
      if (target === undefined || (anchor !== '' && !anchorsOf(target).includes(anchor))) broken.push(link);
    }
    expect(broken).toEqual([]);
  });
});

/** As GitHub makes them of headings. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

function readPage(folder: string, name: string) {
  const path = join(folder, name);
  return { name, folder: dirname(path), text: readFileSync(path, 'utf8') };
}
