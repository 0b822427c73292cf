import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../../support/project.ts';
import { type Outcome, startCommand } from '../../support/run-command.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

const ours = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));

const FILES = [
  '.gitattributes',
  '.github/workflows/ci.yml',
  '.gitignore',
  'README.md',
  'models/iris/1/model.json',
  'models/iris/1/model.onnx',
  'models/iris/1/reference.json',
  'package.json',
  'ternion.config.ts',
  'test/iris.test.mjs',
  'tsconfig.json',
];

const TOOLS = ['@types/node', 'esbuild', 'typescript', 'zod'];
const SCRIPTS = {
  dev: 'ternion dev',
  start: 'ternion serve',
  test: 'node --test',
  types: 'ternion types',
  check: 'tsc',
};

interface Added {
  readonly packages: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
}

const AWS: Added = {
  packages: ['aws-cdk', 'aws-cdk-lib', 'constructs'],
  scripts: {
    'build:aws': 'ternion build aws-arm64',
    'synth:aws': 'ternion synth aws',
    'deploy:aws': 'ternion deploy aws',
  },
};
const GCP: Added = {
  packages: ['@google-cloud/functions-framework'],
  scripts: {
    'build:gcp': 'ternion build gcp',
    'package:gcp': 'ternion package gcp',
    'deploy:gcp': 'ternion package gcp --deploy',
  },
};
const AZURE: Added = {
  packages: [],
  scripts: {
    'build:azure': 'ternion build azure',
    'package:azure': 'ternion package azure',
    'deploy:azure': 'ternion package azure --deploy',
  },
};

function init(cwd: string, ...args: readonly string[]): Promise<Outcome> {
  return startCommand(['init', ...args], '', {}, cwd).outcome;
}

/** The files of a folder and of those in it, sorted. */
async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .sort();
}

async function readProject(folder: string) {
  const read = (path: string) => readFile(join(folder, path), 'utf8');
  return {
    manifest: JSON.parse(await read('package.json')),
    workflow: await read('.github/workflows/ci.yml'),
    readme: await read('README.md'),
  };
}

/** The actions that a workflow uses, each with its commit and the comment that names its version. */
const actionsOf = (workflow: string) => workflow.match(/uses: .*/g) ?? [];

describe('ternion init', () => {
  it.each<[string, string[], Added, string[]]>([
    ['no cloud', [], { packages: [], scripts: {} }, []],
    ['AWS', ['--clouds', 'aws'], AWS, ['aws']],
    ['Google Cloud', ['--clouds', 'gcp'], GCP, ['gcp']],
    ['Azure', ['--clouds', 'azure'], AZURE, ['azure']],
    [
      'all clouds, named in any order and way',
      ['--clouds', 'Azure, gcp,aws,gcp'],
      {
        packages: [...AWS.packages, ...GCP.packages],
        scripts: { ...AWS.scripts, ...GCP.scripts, ...AZURE.scripts },
      },
      ['aws', 'gcp', 'azure'],
    ],
  ])('writes a project for %s', async (_, options, { packages, scripts }, clouds) => {
    const folder = await makeFolder({});
    const { code, stdout } = await init(folder, 'my-project', ...options, '--json');
    const printed = JSON.parse(stdout);
    expect([code, printed]).toEqual([
      0,
      { folder: 'my-project', name: 'my-project', clouds, files: expect.any(Array) },
    ]);
    const project = join(folder, 'my-project');
    expect(await listFiles(project)).toEqual(FILES);
    expect(printed.files.toSorted()).toEqual(FILES);

    const { manifest, workflow, readme } = await readProject(project);
    const installed = [...TOOLS, ...packages].sort();
    expect(manifest).toEqual({
      name: 'my-project',
      version: '0.1.0',
      private: true,
      type: 'module',
      engines: ours.engines,
      scripts: { ...SCRIPTS, ...scripts },
      dependencies: { ternion: `^${ours.version}` },
      devDependencies: Object.fromEntries(installed.map((name) => [name, `^${ours.devDependencies[name]}`])),
      allowScripts: { esbuild: ours.allowScripts.esbuild },
    });

    expect(load(workflow)).toEqual({
      name: 'CI',
      on: { push: null, pull_request: null },
      permissions: { contents: 'read' },
      jobs: {
        check: {
          'runs-on': expect.any(String),
          'timeout-minutes': 20,
          steps: [
            { uses: expect.stringMatching(/^actions\/checkout@/), with: { 'persist-credentials': false } },
            {
              uses: expect.stringMatching(/^actions\/setup-node@/),
              with: { 'node-version': 24, 'package-manager-cache': false },
            },
            { run: 'npm ci' },
            { run: 'npm run types' },
            { run: 'npm run check' },
            { run: 'npm test' },
            ...clouds.map((cloud) => ({ run: `npm run build:${cloud}` })),
          ],
        },
      },
    });
    expect(actionsOf(workflow)).toEqual(
      actionsOf(readFileSync(join(PROJECT, '.github/workflows/release.yml'), 'utf8')),
    );

    expect(readme.startsWith('# my-project\n\n')).toBe(true);
    const named = [...`${workflow}${readme}`.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name);
    expect(named.filter((name) => !(name !== undefined && name in manifest.scripts))).toEqual([]);
    const shown = [...readme.matchAll(/npm run ([a-z]+:[a-z]+)/g)].map(([, name]) => name);
    expect(shown).toEqual(Object.keys(scripts));
  });

  it('has packages for clouds that are optional peers of this one', () => {
    const peers = [...AWS.packages, ...GCP.packages];
    expect(peers.filter((name) => !ours.peerDependenciesMeta[name]?.optional)).toEqual([]);
    expect(peers.filter((name) => !(name in ours.peerDependencies))).toEqual([]);
  });

  it('has the model of this project', () => {
    const model = (path: string) => readFileSync(join(PROJECT, path));
    expect(model('template/models/iris/1/model.onnx').equals(model('models/iris/2/model.onnx'))).toBe(true);
  });

  it('says which commands are next', async () => {
    const folder = await makeFolder({});
    const { stdout } = await init(folder, 'my-project');
    expect(stdout).toMatch(/^The project my-project is in my-project:\n {2}package\.json\n/);
    expect(stdout.slice(stdout.indexOf('Next:'))).toBe(
      [
        'Next:',
        '  cd my-project',
        '  npm install',
        '  npm test',
        '  npm start',
        'It serves an example model. To publish your own model:',
        '  npx ternion add <model.onnx or folder>',
        '',
      ].join('\n'),
    );
  });
});

describe('the folder of a new project', () => {
  it.each([
    ['a b', 'a-b'],
    ["it's $HOME", 'it-s-home'],
    ['./-x', 'x'],
    ['ünï', 'uni'],
    ['con', 'con'],
    ['deep/er', 'er'],
    ['../up', 'up'],
    ['My.Project_2/', 'my.project_2'],
    ['日本', 'ternion-project'],
    ['...', 'ternion-project'],
    ['.hidden', 'hidden'],
    // npm does not install a package into a project of its name.
    ['ternion', 'ternion-project'],
    ['zod', 'zod-project'],
    ['favicon.ico', 'favicon.ico-project'],
    [`${'long'.repeat(60)}`, `${'long'.repeat(53)}lo`],
  ])('can be called %j; the package is then %s', async (folder, name) => {
    const outside = await makeFolder({ 'inside/there.txt': '' });
    const inside = join(outside, 'inside');
    const { code, stdout } = await init(inside, folder);
    expect(code).toBe(0);
    expect(await listFiles(join(inside, folder))).toEqual(FILES);
    expect((await readProject(join(inside, folder))).manifest.name).toBe(name);
    // A shell comes into the folder with the command that is printed.
    const [, cd = ''] = /^ {2}(cd .*)$/m.exec(stdout) ?? [];
    const shell = await promisify(execFile)('sh', ['-c', `${cd} && pwd`], { cwd: inside });
    expect(shell.stdout.trim()).toBe(join(inside, folder).replace(/\/$/, ''));
  });

  it('can begin with a minus', async () => {
    const folder = await makeFolder({});
    const { stdout } = await init(folder, '--', '-x');
    expect(stdout).toContain('\n  cd ./-x\n');
    expect(await listFiles(join(folder, '-x'))).toEqual(FILES);
    const other = await init(folder, '-x');
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("unknown option '-x'")]);
  });

  it('can be the one in which the command runs, with a repository and a licence', async () => {
    const folder = await makeFolder({
      '.git/HEAD': '',
      'LICENSE.md': 'ours',
      '.github/dependabot.yml': 'ours',
    });
    const { code, stdout } = await init(folder, '.');
    expect([code, stdout.includes('  cd ')]).toEqual([0, false]);
    expect(await listFiles(folder)).toEqual(
      [...FILES, '.git/HEAD', 'LICENSE.md', '.github/dependabot.yml'].sort(),
    );
    expect(await readFile(join(folder, 'LICENSE.md'), 'utf8')).toBe('ours');
  });

  it('can be there already, if it is empty', async () => {
    const folder = await makeFolder({});
    await mkdir(join(folder, 'empty'));
    expect((await init(folder, 'empty')).code).toBe(0);
    expect(await listFiles(join(folder, 'empty'))).toEqual(FILES);
  });
});

describe('what init refuses', () => {
  it.each<[string, Readonly<Record<string, string>>, string[], number, string]>([
    [
      'files that it would overwrite',
      { 'p/package.json': '{}', 'p/.gitignore': 'x', 'p/other.txt': 'x' },
      ['p'],
      1,
      '"p" has files that would be overwritten: package.json, .gitignore. Name a new or empty folder.',
    ],
    [
      'a folder with other files',
      { 'p/b.txt': '', 'p/a/c.txt': '', 'p/.env': '' },
      ['p'],
      1,
      '"p" is not empty: it has a, b.txt. Name a new or empty folder.',
    ],
    ['a file', { p: '' }, ['p'], 2, '"p" is a file; name a new or empty folder.'],
    [
      'a folder in which npm installs',
      {},
      ['node_modules/p'],
      2,
      '"node_modules/p" is in a folder of npm, node_modules; name another folder.',
    ],
    ['a folder without a name', {}, [''], 2, 'The name of the folder is empty; "." is this folder.'],
    [
      'an unknown cloud',
      {},
      ['p', '--clouds', 'aws,ibm'],
      2,
      '--clouds "ibm" is not a known cloud; expected one or more of aws, gcp, azure, with commas between them.',
    ],
  ])('%s', async (_, files, args, code, error) => {
    const folder = await makeFolder(files);
    const before = await listFiles(folder);
    expect(await init(folder, ...args)).toEqual({ code, stdout: '', stderr: `${error}\n` });
    const asJson = await init(folder, ...args, '--json');
    expect([asJson.code, JSON.parse(asJson.stdout)]).toEqual([code, { error }]);
    expect(await listFiles(folder)).toEqual(before);
  });

  it('a second project in the same folder, which stays as it is', async () => {
    const folder = await makeFolder({});
    await init(folder, 'p');
    const path = join(folder, 'p/ternion.config.ts');
    await writeFile(path, 'mine');
    const { code, stderr } = await init(folder, 'p', '--clouds', 'aws');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^"p" has files that would be overwritten: package\.json, README\.md, .*11 in all/,
    );
    expect(await readFile(path, 'utf8')).toBe('mine');
  });

  it('a link where a file would be, wherever it leads', async () => {
    const folder = await makeFolder({ 'p/.keep': '' });
    await symlink(join(folder, 'elsewhere'), join(folder, 'p/README.md'));
    const { code, stderr } = await init(folder, 'p');
    expect([code, stderr]).toEqual([
      1,
      '"p" has files that would be overwritten: README.md. Name a new or empty folder.\n',
    ]);
    expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
  });

  it('to leave half a project: what it has written is removed when it fails', async () => {
    // A file where a folder is needed, seen only when the third file is written.
    const folder = await makeFolder({ 'p/.github': '' });
    const { code, stderr } = await init(folder, 'p');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/\.github.*\((?:EEXIST|ENOTDIR)\)\.\n$/)]);
    expect(await readdir(join(folder, 'p'))).toEqual(['.github']);
  });

  it('a folder that it may not write', async () => {
    const folder = await makeFolder({});
    await chmod(folder, 0o555);
    // Root may write everywhere, and is another user here.
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const command = [join(PROJECT, 'dist/cli/index.mjs'), 'init', 'p'];
    await expect(
      promisify(execFile)(process.execPath, command, { cwd: folder, ...user }),
    ).rejects.toMatchObject({ code: 1, stderr: `${join(folder, 'p')}: permission denied (EACCES).\n` });
  });
});
