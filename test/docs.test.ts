import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  comparable,
  type DocumentedServer,
  type DocumentedShell,
  openDocumentedShell,
  readExchanges,
  readScripts,
  startAsDocumented,
} from './fixtures/documented-commands.ts';
import { PROJECT } from './hosts/environment.ts';

const FOLDER = join(PROJECT, 'docs');
const pages = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, text: readFileSync(join(FOLDER, name), 'utf8') }));

describe('the documentation', () => {
  let server: DocumentedServer;
  let shell: DocumentedShell;

  beforeAll(async () => {
    server = await startAsDocumented();
    shell = await openDocumentedShell(server.port);
  });
  afterAll(async () => {
    await server.stop();
    await shell.close();
  });

  it.each(pages)('in $name shows the answer to each command for the local server', ({ text }) => {
    const commands = text.match(/^curl .*localhost/gm) ?? [];
    expect(readExchanges(text)).toHaveLength(commands.length);
  });

  it.each(pages.flatMap(({ text }) => readExchanges(text)))(
    'shows the answer to $command',
    async ({ command, answer }) => {
      expect(comparable(await shell.run(command))).toEqual(comparable(answer));
    },
  );

  it.each(pages.flatMap(({ text }) => readScripts(text)))(
    'shows what is printed by $command',
    async ({ command, answer }) => {
      expect(comparable(await shell.runScript(command))).toEqual(comparable(answer));
    },
  );

  it.each(pages)('in $name links only to what there is', ({ text }) => {
    const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => anchorOf(title));
    const linked = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
    expect(linked.filter((anchor) => !anchors.includes(anchor ?? ''))).toEqual([]);
  });
});

/** As GitHub makes them of headings. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}
