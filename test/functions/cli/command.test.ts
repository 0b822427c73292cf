import { execFile } from 'node:child_process';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FLOAT, identityModel } from '../../support/build-model.ts';
import { PROJECT } from '../../support/project.ts';
import { runCommand, temporaryFolder } from '../../support/run-command.ts';

const SETOSA = '[5.1, 3.5, 1.4, 0.2]';
const NO_MODEL =
  'There is no file or folder "nope", and no model "nope" in the repository ./models; its models are: digits, iris.';

describe('ternion', () => {
  it('lists its commands', async () => {
    const { code, stdout } = await runCommand(['--help']);
    expect(code).toBe(0);
    for (const command of ['serve', 'predict', 'batch', 'compare']) {
      expect(stdout).toMatch(new RegExp(`^  ${command} .*\\S$`, 'm'));
    }
  });

  it.each([
    [['bogus'], /unknown command 'bogus'/],
    [['predict', 'iris'], /missing required argument 'data'/],
    [['predict', 'iris', SETOSA, '--nope'], /unknown option '--nope'/],
    [['serve', '--port', '80a'], /--port "80a" must be a whole number from 0 to 65535/],
    [['predict', 'iris', 'no-such-file.json'], /"no-such-file.json" is not JSON, and there is no such file/],
  ])('%j is a mistake of the user, with exit code 2', async (args, text) => {
    const { code, stdout, stderr } = await runCommand(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(text);
  });
});

describe('--json', () => {
  it.each([
    [['bogus'], 2, "unknown command 'bogus'"],
    [['predict', 'iris'], 2, "missing required argument 'data'"],
    [['serve', '--port', '80a'], 2, '--port "80a" must be a whole number from 0 to 65535.'],
    [['inspect', 'nope'], 1, NO_MODEL],
    [
      ['batch', 'iris', 'none.csv', 'out.csv'],
      2,
      'The input cannot be read: none.csv: no such file or directory (ENOENT).',
    ],
    [
      ['compare', 'iris', 'iris', '-d', 'models'],
      1,
      'There is no image in "models": no file whose name ends in .jpg, .png, .webp, .gif, .tiff or .avif.',
    ],
  ])('says what is wrong with %j as one object on stdout', async (args, code, error) => {
    for (const all of [
      ['--json', ...args],
      [...args, '--json'],
    ]) {
      const outcome = await runCommand(all);
      expect([outcome.code, JSON.parse(outcome.stdout)]).toEqual([code, { error }]);
      expect(outcome.stderr).toContain(error);
    }
  });
});

describe('the output of a command', () => {
  it.each([
    ['if nobody reads it', '| true', 0, /^$/],
    [
      'on a full disk',
      '> /dev/full',
      1,
      /^The result cannot be printed: no space left on device \(ENOSPC\)\.\n$/,
    ],
  ])('ends %s without a stack', async (_, redirection, code, text) => {
    const command = `"${process.execPath}" dist/cli/index.mjs inspect models/iris ${redirection}`;
    const script = `${command}\necho "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script], { cwd: PROJECT });
    expect([stdout, stderr]).toEqual([`${code}\n`, expect.stringMatching(text)]);
  });

  it.each(['', 'serve', 'predict', 'batch', 'inspect', 'add', 'verify', 'compare'])(
    'fits the help of "%s" into 80 columns',
    async (name) => {
      const { code, stdout } = await runCommand([...(name ? [name] : []), '--help']);
      expect(code).toBe(0);
      expect(stdout).toContain('Examples:');
      expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    },
  );
});

describe('ternion predict', () => {
  it('prints a prediction in words, best first', async () => {
    const { code, stdout } = await runCommand(['predict', 'iris', SETOSA]);
    expect(code).toBe(0);
    expect(stdout).toBe(
      'setosa   99.99 %\n  setosa       99.99 %\n  versicolor    0.01 %\n  virginica     0.00 %\n',
    );
  });

  it.each([
    ['a list of values', SETOSA],
    ['a request', `{"features": ${SETOSA}}`],
    [
      'features by name',
      '{"features": {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}}',
    ],
  ])('takes %s and prints the answer of a server with --json', async (_, data) => {
    const { stdout } = await runCommand(['--json', 'predict', 'iris/1', data]);
    expect(JSON.parse(stdout)).toMatchObject({
      prediction: 'setosa',
      confidence: expect.closeTo(0.999999, 5),
      model_version: '1',
    });
  });

  it('takes stdin, a file with several rows, and an image', async () => {
    expect((await runCommand(['predict', 'iris', '-'], SETOSA)).stdout).toMatch(/^setosa/);
    const file = join(await temporaryFolder(), 'rows.json');
    await writeFile(file, `[${SETOSA}, [6.3, 3.3, 6, 2.5]]`);
    expect((await runCommand(['predict', 'iris/1', file])).stdout).toBe(
      'setosa  100.00 %\nvirginica   98.00 %\n',
    );
    const image = join(PROJECT, 'test/fixtures/digits/07-label-7.png');
    expect((await runCommand(['predict', 'digits', image])).stdout).toMatch(
      /^7 {3}79\.23 %\n {2}7 {3}79\.23 %\n {2}2/,
    );
  });

  it('takes a row by name, a text and a file of text as they are', async () => {
    const row = '{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}';
    expect((await runCommand(['predict', 'iris', row])).stdout).toMatch(/^setosa/);
    const model = join(PROJECT, 'test/fixtures/formats/optimum/bert-sentiment');
    const file = join(await temporaryFolder(), 'review.txt');
    await writeFile(file, 'I liked this film a lot.\n');
    const given = [
      'I liked this film a lot.',
      '"I liked this film a lot."',
      '{"text": "I liked this film a lot."}',
      file,
    ];
    const answers = await Promise.all(given.map((data) => runCommand(['predict', model, data])));
    expect(answers[0]?.code).toBe(0);
    expect(new Set(answers.map(({ stdout }) => stdout)).size).toBe(1);
    expect((await runCommand(['predict', model, 'revew.txt'])).stderr).toMatch(/there is no such file/);
  });

  it('takes any words that are not a file as a text', async () => {
    const model = join(PROJECT, 'test/fixtures/formats/optimum/bert-sentiment');
    const answers = await Promise.all([
      runCommand(['predict', model, 'good']),
      runCommand(['predict', model, '-'], 'good\n'),
      runCommand(['predict', model, '"good"']),
    ]);
    expect(answers[0]).toMatchObject({ code: 0, stderr: '' });
    expect(new Set(answers.map(({ stdout }) => stdout)).size).toBe(1);
    expect(await runCommand(['predict', model, '[sic] I liked it'])).toMatchObject({ code: 0, stderr: '' });
  });

  it('takes values with commas between them as a row', async () => {
    const { code, stdout } = await runCommand(['predict', 'iris', '5.1,3.5, 1.4,0.2']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^setosa {3}99\.99 %/)]);
  });

  it.each([
    [
      "{'sepal_length': 5.1}",
      /^The argument is not valid JSON: .* JSON needs double quotes around names and texts, as in '\{"city": "Oslo"\}'\.\n$/,
    ],
    ['{sepal_length: 5.1}', /^The argument is not valid JSON: .* JSON needs double quotes around/],
    ['[5.1, "x"', /^The argument is not valid JSON: [^']*\n$/],
  ])('says what is wrong with the JSON %s', async (data, text) => {
    const { code, stderr } = await runCommand(['predict', 'iris', data]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(text)]);
  });

  it('treats a file with the name of an image as one, with any content', async () => {
    const file = join(await temporaryFolder(), 'broken.png');
    await writeFile(file, 'PNG and nothing more');
    const { code, stderr } = await runCommand(['predict', 'digits', file]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/broken\.png: Field "body" is not an image/)]);
  });

  it('shows what a tensor model takes', async () => {
    const file = join(await temporaryFolder(), 'plain.onnx');
    await writeFile(file, identityModel(FLOAT, [2]));
    const { code, stderr } = await runCommand(['predict', file, '[1, 2]']);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/\n {2}It takes, for example: \{"inputs":\{.*\}\}\n$/),
    ]);
  });

  it('says which command takes a table', async () => {
    const { code, stderr } = await runCommand(['predict', 'iris', 'test/fixtures/flowers.csv']);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('ternion batch <model> test/fixtures/flowers.csv'),
    ]);
  });

  it('takes a model by the path of its folder or file, without a repository', async () => {
    const folder = await temporaryFolder();
    await copyFile(join(PROJECT, 'models/iris/1/model.onnx'), join(folder, 'my forest.onnx'));
    const ofFile = await runCommand(['--json', 'predict', join(folder, 'my forest.onnx'), SETOSA]);
    expect(JSON.parse(ofFile.stdout)).toMatchObject({
      prediction: 'setosa',
      model: 'my-forest',
      model_version: '1',
    });
    const ofFolder = await runCommand(['--json', 'predict', join(PROJECT, 'models/iris/2'), SETOSA]);
    expect(JSON.parse(ofFolder.stdout)).toMatchObject({
      prediction: 'setosa',
      model: 'iris',
      model_version: '2',
    });
  });

  it('fails with the reason, without a stack', async () => {
    const wrong = await runCommand(['predict', 'iris', '[1, 2, "three", 4]']);
    expect([wrong.code, wrong.stdout]).toEqual([1, '']);
    expect(wrong.stderr).toBe(
      'Field "features[2]" (petal_length) is the string "three"; expected a number.\n',
    );
    const unknown = await runCommand(['predict', 'nope', SETOSA]);
    expect([unknown.code, unknown.stderr]).toEqual([1, `${NO_MODEL}\n`]);
    const file = join(await temporaryFolder(), 'broken.onnx');
    await writeFile(file, 'not a model');
    const broken = await runCommand(['predict', file, SETOSA]);
    expect(broken.code).toBe(1);
    expect(broken.stderr).toMatch(/its broken\.onnx is not an ONNX file, or it is truncated/);
    expect(broken.stderr).not.toMatch(/\n\s+at /);
  });
});
