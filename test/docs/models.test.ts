import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  comparable,
  type DocumentedServer,
  type DocumentedShell,
  openDocumentedShell,
  readBlocks,
  readExchanges,
} from '../support/documented-commands.ts';
import { findFreePort } from '../support/hosts/child-process.ts';
import { PROJECT } from '../support/project.ts';

const FIXTURES = join(PROJECT, 'test/fixtures');

/** The files in place of a reader's export, made the same way with few weights. */
const STAND_INS: readonly (readonly [string, string])[] = [
  // What the Python of these walks writes; test/real/ runs it again.
  ...['prices', 'levels', 'offers', 'cats', 'network', 'dense', 'rents', 'gaps'].map(
    (name) => [`exports/${name}`, `walks/${name}`] as const,
  ),
  ['exports/houses', 'formats/tabular/sklearn-columns'],
  ['exports/resnet50', 'resnet/small/models/photos/1'],
  ['exports/vit', 'formats/optimum/vit'],
  ['exports/sentiment', 'formats/optimum/bert-sentiment'],
  ['exports/minilm', 'formats/optimum/sentence-mean'],
  ['exports/flowers', 'formats/mlflow/columns'],
];

const page = await readFile(join(PROJECT, 'docs/models.md'), 'utf8');
const [introduction = '', ...sections] = page.split(/^(?=## )/m);
const walks = sections.filter((section) => !section.startsWith('## ternion_export.py'));
const [serve = ''] = readBlocks(introduction, 'sh');
const publishing = walks.flatMap((walk) =>
  readBlocks(walk, 'sh').filter((block) => !block.startsWith('curl')),
);
const exchanges = readExchanges(page);

describe('the walks from an export to an answer', () => {
  let folder: string;
  let shell: DocumentedShell;
  let server: DocumentedServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ternion-walks-'));
    for (const [path, fixture] of STAND_INS) {
      await cp(join(FIXTURES, fixture), join(folder, path), {
        recursive: true,
        filter: (source) => !source.endsWith('golden.json'),
      });
    }
    await cp(join(PROJECT, 'examples'), join(folder, 'examples'), { recursive: true });
    const port = await findFreePort();
    shell = await openDocumentedShell(port, folder);
    for (const command of publishing) await shell.run(command);
    server = await shell.serve(serve, /Ternion serves/, { PORT: String(port) });
  });
  afterAll(async () => {
    await server.stop();
    await shell.close();
    await rm(folder, { recursive: true });
  });

  it.each(walks.map((walk) => [walk.split('\n', 1)[0], walk]))(
    '%s: is written by Python, published, and called',
    (_title, walk) => {
      const [path = ''] =
        readBlocks(walk, 'python')
          .join('\n')
          .match(/exports\/\w+/) ?? [];
      expect(STAND_INS.map(([standIn]) => standIn)).toContain(path);
      expect(readBlocks(walk, 'sh')[0]).toContain(` ${path} `);
      expect(readExchanges(walk)).not.toEqual([]);
    },
  );

  it.each(exchanges)('show the answer to $command', async ({ command, answer }) => {
    const text = await shell.run(command);
    expect(comparable(text)).toEqual(comparable(answer));
  });

  it('install packaging with onnxmltools, which imports it but does not require it', () => {
    const installs = [...page.matchAll(/`pip install ([^`]*)`/g)].map(([, packages = '']) => packages);
    const converting = installs.filter((packages) => packages.includes('onnxmltools'));
    expect(converting.map((packages) => packages.includes(' packaging'))).toEqual([true, true]);
  });

  it('have every answer checked', () => {
    const calls = readBlocks(page, 'sh').filter((block) => block.startsWith('curl'));
    expect(exchanges.map(({ command }) => command)).toEqual(calls);
  });
});
