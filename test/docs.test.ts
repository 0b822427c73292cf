import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { anchorsOf, codeBlocksOf, linkTargetsOf } from '../docs/site/markdown.ts';
import { isInRepository, readContents, splitTarget } from '../docs/site/pages.ts';
import { comparable, readExchanges, readScripts } from './support/documented-commands.ts';
import { PROJECT } from './support/project.ts';
import { useDocumentedServer } from './support/use-documented-server.ts';

const FOLDER = join(PROJECT, 'docs');
const pages = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.md'))
  .map(readPage);
/**
 * These pages need models of their own: test/docs/models.test.ts, test/docs/deploy.test.ts and
 * test/real/project/project.test.ts run their walks.
 */
const onExampleModels = pages.filter(
  ({ name }) => !['models.md', 'project.md'].includes(name) && !name.startsWith('deploy-'),
);
/** All pages that people read: those of docs/, those at the top, and texts that they link to. */
const texts = readContents().pages.filter(({ isText }) => isText);
const packageJson = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));

describe('the documentation', () => {
  const documented = useDocumentedServer();

  it.each(onExampleModels)('in $name shows the answer to each command for the local server', ({ text }) => {
    const commands = text.match(/^curl .*localhost/gm) ?? [];
    expect(readExchanges(text)).toHaveLength(commands.length);
  });

  it.each(onExampleModels.flatMap(({ text }) => readExchanges(text)))(
    'shows the answer to $command',
    async ({ command, answer }) => {
      expect(comparable(await documented.shell.run(command))).toEqual(comparable(answer));
    },
  );

  it.each(onExampleModels.flatMap(({ text }) => readScripts(text)))(
    'shows what is printed by $command',
    async ({ command, answer }) => {
      expect(comparable(await documented.shell.runScript(command))).toEqual(comparable(answer));
    },
  );
});

describe('each page', () => {
  it.each(texts)('$path links only to targets that exist', async ({ path }) => {
    const targets = linkTargetsOf(await read(path)).filter(isInRepository);
    const broken = await Promise.all(
      targets.map(async (target) => ((await leadsSomewhere(path, target)) ? [] : [target])),
    );
    expect(broken.flat()).toEqual([]);
  });

  it.each(texts)('$path has each of its sections once', async ({ path }) => {
    const sections = [...(await read(path)).matchAll(/^## .*$/gm)].map(([heading]) => heading);
    expect(sections.filter((heading, index) => sections.indexOf(heading) < index)).toEqual([]);
  });

  it.each(texts)('$path names the language of each block of code', async ({ path }) => {
    const blocks = codeBlocksOf(await read(path));
    const unnamed = blocks.filter(({ language }) => !LANGUAGES.includes(language));
    expect(unnamed.map(({ line, language }) => `${path}:${line} ${language}`)).toEqual([]);
  });

  it.each(texts)('$path has blocks of code that can be parsed', async ({ path }) => {
    const wrong = [];
    for (const { language, content, line } of codeBlocksOf(await read(path))) {
      const fault = await findFault(language, content);
      if (fault !== undefined) wrong.push(`${path}:${line} ${fault}`);
    }
    expect(wrong).toEqual([]);
  });

  it.each(texts)(
    '$path has commands that name files and scripts of the project as they are',
    async ({ path }) => {
      const text = await read(path);
      const commands = codeBlocksOf(text).filter(({ language }) => language === 'sh');
      const files = commands.flatMap(({ content }) => filesNamedIn(content));
      expect(files.filter((file) => !existsSync(join(PROJECT, file)))).toEqual([]);
      const scripts = [...text.matchAll(/npm run ([a-z][\w:-]*)(?![\w:{<-])/g)].map(
        ([, script = '']) => script,
      );
      expect(scripts.filter((script) => !(script in packageJson.scripts))).toEqual([]);
    },
  );
});

/** Languages of blocks. A block without a language of its own is `text`. */
const LANGUAGES = [
  'kusto',
  'sh',
  'json',
  'jsonl',
  'js',
  'ts',
  'promql',
  'python',
  'yaml',
  'toml',
  'http',
  'csv',
  'dockerfile',
  'html',
  'mermaid',
  'crontab',
  'text',
];

/** Folders of the repository that commands name files of. `models/` stands for a folder of the reader's own as well. */
const FOLDERS = ['shared', 'functions', 'infra', 'test', 'docs', 'examples', 'python', '.ci'];

/** The paths in a command that begin with a folder of the project, and those of files that are for the example models. */
function filesNamedIn(command: string): readonly string[] {
  const paths = [...command.matchAll(/(?<![\w/.:-])(?:\.\/)?((?:[\w.-]+\/)+[\w.*-]*)/g)].map(
    ([, path = '']) => path,
  );
  return paths.filter(
    (path) =>
      FOLDERS.some((folder) => path.startsWith(`${folder}/`)) || /^models\/.*\.(?:py|txt)$/.test(path),
  );
}

/** What is wrong with a block, or nothing. Blocks in a language that is not parsed pass. */
async function findFault(language: string, content: string): Promise<string | undefined> {
  try {
    // A block can show one member of an object alone.
    if (language === 'json') JSON.parse(/^"\w+":/.test(content) ? `{${content}}` : content);
    if (language === 'jsonl') for (const line of content.split('\n')) JSON.parse(line);
    if (language === 'yaml') load(content);
    if (language === 'js' || language === 'ts')
      await transform(content, { loader: language, logLevel: 'silent' });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Whether there is a file, and a heading with the anchor of the link in it. */
async function leadsSomewhere(from: string, target: string): Promise<boolean> {
  const { path, anchor } = splitTarget(from, target);
  if (path.startsWith('..') || !existsSync(join(PROJECT, path))) return false;
  if (anchor === '') return true;
  return path.endsWith('.md') && anchorsOf(await read(path)).includes(anchor);
}

function read(path: string): Promise<string> {
  return readFile(join(PROJECT, path), 'utf8');
}

function readPage(name: string) {
  return { name, text: readFileSync(join(FOLDER, name), 'utf8') };
}
