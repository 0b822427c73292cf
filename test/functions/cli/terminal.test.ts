import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { curlCommand } from '../../../functions/curl-command.ts';
import { buildModel, buildNode, FLOAT, identityModel, tensorValue } from '../../support/build-model.ts';
import { type Outcome, runCommand, startCommand, temporaryFolder } from '../../support/run-command.ts';
import { writeFiles } from '../../support/temporary-folder.ts';

/** Sequences that terminals act on: for the clipboard, the title, the screen, the line, the direction of text. */
const TRICKS = {
  clipboard: '\x1b]52;c;ZXZpbA==\x07',
  title: '\x1b]0;title\x1b\\',
  screen: '\x1b[2J\x1b[H',
  c1: '\u009b2J\u009d0;title\u009c',
  line: 'safe\rforged',
  back: 'x\b\b\x7f',
  bidi: '\u202eabc\u202c\u2066\u2069\u200f\u200e\u061c',
  separators: 'a\u2028b\u2029c',
  tab: 'a\tb',
};
const ALL = Object.values(TRICKS).join('');
/** Those that a file name may contain on every system. */
const IN_FILES = ALL.replaceAll(/[/\\]/g, '');
const ACTIVE = /[^\n -~\u00a0-\u{10ffff}]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

function expectHarmless({ stdout, stderr }: Outcome): void {
  expect(stdout).not.toMatch(ACTIVE);
  expect(stderr).not.toMatch(ACTIVE);
}

/** A classifier whose scores are its features, and whose texts all have such sequences. */
const evilModel = (domain = '') =>
  buildModel({
    nodes: [buildNode('Identity', [`in${ALL}`], [`out${ALL}`], { domain })],
    inputs: [tensorValue(`in${ALL}`, FLOAT, ['n', 3])],
    outputs: [tensorValue(`out${ALL}`, FLOAT, ['n', 3])],
    metadata: [[`key${ALL}`, `value${ALL}`]],
    ...(domain && { opsets: { '': 18, [domain]: 1 } }),
  });
const LABELS = [`one${ALL}`, `two${ALL}`, 'three\nlines'];
const EVIL_CONFIG = JSON.stringify({
  task: 'tabular-classification',
  description: `description${ALL}`,
  output: { probabilities: `out${ALL}` },
  labels: LABELS,
  features: ['a', 'b', 'c'].map((name) => ({ name: `${name}${ALL}` })),
});

async function makeModel(): Promise<string> {
  const folder = await temporaryFolder();
  const path = join(folder, `evil${TRICKS.screen}${TRICKS.bidi}`, '1');
  await writeFiles(path, {
    'model.onnx': evilModel(),
    'model.json': EVIL_CONFIG,
    [`data${IN_FILES}.txt`]: 'x',
  });
  return path;
}

describe('texts of a model', () => {
  it.each([
    ['inspect', []],
    ['predict', ['[0.1, 0.7, 0.2]']],
    ['predict', ['[[0.1, 0.7, 0.2], [0.1, 0.2, 0.7]]']],
    ['predict', ['[0.1, 0.7]']],
    ['predict', [`{"a${'\\u001b'}": 1}`]],
    ['predict', [`nothing${ALL}.json`]],
  ])('do not reach the terminal from %s %j', async (command, args) => {
    const outcome = await runCommand([command, await makeModel(), ...args]);
    expectHarmless(outcome);
    expect(outcome.stdout + outcome.stderr).toContain('\\u001b');
  });

  it('are shown with their content, in aligned columns', async () => {
    const { stdout } = await runCommand(['predict', await makeModel(), '[0.1, 0.7, 0.2]']);
    const [title, ...lines] = stdout.trimEnd().split('\n');
    expect(title).toMatch(/^two\\u001b\]52;c;ZXZpbA==\\u0007.* 70\.00 %$/);
    expect(lines.map((line) => line.trim().split(/\s/)[0]?.slice(0, 12))).toEqual([
      'two\\u001b]52',
      'three\\u000al',
      'one\\u001b]52',
    ]);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  });

  it('are shown the same in JSON, which stays valid', async () => {
    const path = await makeModel();
    for (const args of [
      ['predict', path, '[0.1, 0.7, 0.2]'],
      ['inspect', path],
      ['predict', path, '[0.1]'],
    ]) {
      const outcome = await runCommand([...args, '--json']);
      expectHarmless(outcome);
      expect(JSON.stringify(JSON.parse(outcome.stdout))).toMatch(
        /(?:one|in|[abc])\\u001b\]52;c;ZXZpbA==\\u0007/,
      );
    }
    const { stdout } = await runCommand(['predict', path, '[0.1, 0.7, 0.2]', '--json']);
    expect(JSON.parse(stdout).prediction).toBe(LABELS[1]);
    expect(Object.keys(JSON.parse(stdout).probabilities)).toEqual(LABELS);
  });

  it('do not reach it from batch and compare, nor do those of a table', async () => {
    const [path, folder] = [await makeModel(), await temporaryFolder()];
    const table = join(folder, `rows${TRICKS.screen}.csv`);
    await writeFile(table, `0.1,0.7,0.2\n0.1,${TRICKS.clipboard},0.2\n`);
    const batch = await runCommand(['batch', path, table, join(folder, `out${TRICKS.screen}.csv`)]);
    expectHarmless(batch);
    expect([batch.code, batch.stdout]).toEqual([3, expect.stringContaining('2 rows, 1 of them bad')]);
    const again = await runCommand(['batch', path, table, join(folder, `out${TRICKS.screen}.csv`)]);
    expectHarmless(again);
    const compared = await runCommand(['compare', path, path, '--data', table]);
    expectHarmless(compared);
    expect(compared.stdout).toContain('\\u001b]52;c;ZXZpbA==\\u0007');
  });

  it('do not reach it from what the runtime says, nor from add, nor from wrong options', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, `foreign${TRICKS.screen}.onnx`);
    await writeFile(file, evilModel(`domain${ALL}`));
    for (const args of [
      ['inspect', file],
      ['add', file, '--repository', folder],
      ['add', file, '--name', `n${ALL}`],
      [`nope${ALL}`],
      ['predict', `nope${ALL}`, '[1]'],
      ['serve', `--nope${ALL}`],
      ['inspect', folder],
    ]) {
      const outcome = await runCommand(args);
      expectHarmless(outcome);
      expect(outcome.stdout + outcome.stderr).toContain('\\u001b');
    }
  });

  it('do not reach it from serve, in words, commands or log lines', async () => {
    const repository = await temporaryFolder();
    await writeFiles(join(repository, 'evil', '1'), { 'model.onnx': evilModel(), 'model.json': EVIL_CONFIG });
    await writeFiles(join(repository, `x${IN_FILES}`, '1'), {
      'model.onnx': identityModel(FLOAT, [1]),
    });
    const environment = { PRELOAD_MODELS: '*', LOG_LEVEL: 'debug' };
    const running = startCommand(['serve', '--port', '0', '--grace', '0', '-r', repository], '', environment);
    await running.seen(/curl .*\n/);
    running.process.kill('SIGTERM');
    const outcome = await running.outcome;
    expectHarmless(outcome);
    expect(outcome.stdout).toContain('\\u001b');
  });
});

describe('a command to copy', () => {
  it.each([
    ["it's", "a'b"],
    ["'; touch hacked; '", '$(touch hacked)'],
    ['`touch hacked`', '\\'],
    ["\\'; touch hacked #", '"'],
  ])('stays one command with the texts %j and %j', async (name, value) => {
    const folder = await temporaryFolder();
    const command = curlCommand(`http://localhost:1/${name.replaceAll(' ', '')}`, 'iris', {
      features: { [name]: value },
    });
    const script = `curl() { printf '%s\\0' "$@"; }; ${command}`;
    const words = execFileSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8' }).split('\0');
    expect(words.slice(0, -1)).toEqual([
      '-s',
      `http://localhost:1/${name.replaceAll(' ', '')}/models/iris/predict`,
      '-H',
      'content-type: application/json',
      '-d',
      JSON.stringify({ features: { [name]: value } }),
    ]);
  });

  it('quotes folders so that a shell does not act on them', async () => {
    const folder = await temporaryFolder();
    await writeFiles(join(folder, '$(touch hacked)'), { 'model.onnx': identityModel(FLOAT, [1]) });
    const { stderr } = await runCommand(['inspect', folder]);
    expect(stderr).toContain(`name that: '${join(folder, '$(touch hacked)')}'.`);
  });
});

it('tables are aligned with wide characters and marks', async () => {
  const folder = await temporaryFolder();
  const labels = ['日本語', 'e\u0301te\u0301', 'ﾊﾝｶｸ', '👩‍👩‍👧 family'];
  await writeFiles(folder, {
    'model.onnx': identityModel(FLOAT, ['n', 4]),
    'model.json': JSON.stringify({ task: 'tabular-classification', labels, output: { probabilities: 'y' } }),
  });
  const { stdout } = await runCommand(['predict', folder, '[0.4, 0.3, 0.2, 0.1]']);
  expect(stdout.trimEnd().split('\n').slice(1)).toEqual([
    '  日本語      40.00 %',
    '  e\u0301te\u0301         30.00 %',
    '  ﾊﾝｶｸ        20.00 %',
    '  👩‍👩‍👧 family   10.00 %',
  ]);
});
