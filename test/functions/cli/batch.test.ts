import { spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { buildModel, buildNode, FLOAT, tensorValue } from '../../support/build-model.ts';
import { PROJECT } from '../../support/project.ts';
import { runCommand, startCommand, temporaryFolder } from '../../support/run-command.ts';

const HEADER = 'id,petal_width,sepal_length,sepal_width,petal_length';

/** Rows whose petals grow with the row number, from setosa to virginica. */
function csvOf(rows: number, bad: ReadonlySet<number> = new Set()): string {
  const lines = Array.from({ length: rows }, (_, index) => {
    const petal = 1 + (5 * index) / rows;
    return `${index},${((petal - 1) / 2).toFixed(3)},5.8,3,${bad.has(index + 1) ? 'n/a' : petal.toFixed(3)}`;
  });
  return `${[HEADER, ...lines].join('\n')}\n`;
}

const CSV_HEADER =
  'row,prediction,confidence,probability_setosa,probability_versicolor,probability_virginica,error';

/** Kills a batch when its first rows are written. @returns the file that it keeps beside its output */
async function killEarly(args: readonly string[], output: string): Promise<string> {
  const { process: child, outcome } = startCommand([...args, '-b', '1']);
  while ((await stat(output).catch(() => ({ size: 0 }))).size < 1000) await wait(5);
  child.kill('SIGKILL');
  await outcome;
  return await readFile(`${output}.progress`, 'utf8');
}

const linesOf = async (path: string) => (await readFile(path, 'utf8')).trimEnd().split('\n');

describe('ternion batch', () => {
  it('answers each row of a CSV by the names of its columns, and keeps bad rows with their error', async () => {
    const folder = await temporaryFolder();
    const [input, output] = [join(folder, 'in.csv'), join(folder, 'out.jsonl')];
    await writeFile(input, csvOf(1000, new Set([3, 600])));
    const { code, stdout } = await runCommand(['batch', 'iris', input, output, '-b', '64']);
    expect([code, stdout]).toEqual([3, `${output}: 1,000 rows, 2 of them bad\n`]);
    const results = (await linesOf(output)).map((line) => JSON.parse(line));
    expect(results.map(({ row }) => row)).toEqual(Array.from({ length: 1000 }, (_, index) => index + 1));
    expect(results[0]).toMatchObject({ prediction: 'setosa' });
    expect(results[999]).toMatchObject({ prediction: 'virginica' });
    expect(results[2]).toEqual({
      row: 3,
      error: 'Field "row 3[2]" (petal_length) is the string "n/a"; expected a number.',
    });
    expect(results.filter(({ error }) => error).map(({ row }) => row)).toEqual([3, 600]);
  });

  it.each([
    ['sklearn-imputed', 'width,colour,length\n2.0,blue,3.5\n,red,4.8\nNaN,blue,1.4\n'],
    ['xgboost-missing', '1,2,3,4\n,,,\n1,nan,NA,null\n'],
  ])('reads empty cells as missing numbers for %s, which allows them', async (name, table) => {
    const folder = await temporaryFolder();
    const [input, output] = [join(folder, 'in.csv'), join(folder, 'out.jsonl')];
    await writeFile(input, table);
    const model = join(PROJECT, 'test/fixtures/formats/tabular', name);
    const { code, stdout } = await runCommand(['batch', model, input, output]);
    expect([code, stdout]).toEqual([0, `${output}: 3 rows, none of them bad\n`]);
    for (const line of await linesOf(output)) expect(JSON.parse(line)).toHaveProperty('prediction');
  });

  it('gives the same numbers for any size of batches', async () => {
    const folder = await temporaryFolder();
    const input = join(folder, 'in.csv');
    await writeFile(input, csvOf(100));
    const outputs = await Promise.all(
      ['1', '7', '1000'].map(async (size) => {
        const output = join(folder, `out-${size}.jsonl`);
        await runCommand(['batch', 'iris/1', input, output, '-b', size]);
        return await readFile(output, 'utf8');
      }),
    );
    const [first = [], ...others] = outputs.map((output) =>
      output
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
    expect(first).toHaveLength(100);
    for (const other of others) {
      expect(other.map(({ row, prediction }) => [row, prediction])).toEqual(
        first.map(({ row, prediction }) => [row, prediction]),
      );
      // The sum over the trees is rounded in a different order.
      for (const [index, { confidence }] of other.entries())
        expect(confidence).toBeCloseTo(first[index].confidence, 5);
    }
  });

  it('writes CSV with a column for each label', async () => {
    const folder = await temporaryFolder();
    const [input, output] = [join(folder, 'in.jsonl'), join(folder, 'out.csv')];
    const rows = [{ features: [5.1, 3.5, 1.4, 0.2] }, [6.3, 3.3, 6, 2.5], { nope: 1 }];
    await writeFile(input, `${rows.map((row) => JSON.stringify(row)).join('\n')}\n{"cut off\n`);
    expect((await runCommand(['batch', 'iris/1', input, output])).code).toBe(3);
    const [header, first, second, third, fourth] = await linesOf(output);
    expect(header).toBe(CSV_HEADER);
    expect(first).toBe('1,setosa,0.99999934,0.99999934,0,0,');
    expect(second).toBe('2,virginica,0.97999936,0,0.02,0.97999936,');
    expect(third).toMatch(/^3,,,,,,"Field ""row 3"" has unknown features ""nope""/);
    expect(fourth).toMatch(/^4,,,,,,.*not valid JSON/);
  });

  it('resumes after the last complete row after a kill, with no row lost or doubled', async () => {
    const folder = await temporaryFolder();
    const [input, output, whole] = [
      join(folder, 'in.csv'),
      join(folder, 'out.jsonl'),
      join(folder, 'whole.jsonl'),
    ];
    await writeFile(input, csvOf(60_000, new Set([59_000])));
    const args = ['batch', 'iris', input, output, '-b', '50'];
    for (let kills = 0; kills < 3; kills++) {
      const { process: child, outcome } = startCommand(args);
      const sizeBefore = (await stat(output).catch(() => ({ size: 0 }))).size;
      // Killed as soon as it has written more.
      while ((await stat(output).catch(() => ({ size: 0 }))).size <= sizeBefore) await wait(5);
      child.kill('SIGKILL');
      await outcome;
    }
    const { stderr } = await runCommand(args);
    expect(stderr).toMatch(/^Resuming after row \d+\.\n$/);
    await runCommand(['batch', 'iris', input, whole]);
    expect((await readFile(output)).equals(await readFile(whole))).toBe(true);
    expect(await linesOf(output)).toHaveLength(60_000);
  });

  it.each([
    ['in its header', '1,'.length],
    ['after its header', `${CSV_HEADER}\n`.length],
    ['in its first row', `${CSV_HEADER}\n1,`.length],
  ])('loses no row of a CSV to a kill %s and another one after the first row', async (_, bytes) => {
    const folder = await temporaryFolder();
    const [input, output] = [join(folder, 'in.csv'), join(folder, 'out.csv')];
    await writeFile(input, csvOf(3000));
    const args = ['batch', 'iris/2', input, output];
    const progress = await killEarly(args, output);
    for (const kept of [() => bytes, (text: string) => text.indexOf('\n2,') + 1]) {
      const text = await readFile(output, 'utf8');
      await writeFile(output, text.slice(0, kept(text)));
      await writeFile(`${output}.progress`, progress);
      expect((await runCommand(args)).code).toBe(0);
      const [header, ...rows] = await linesOf(output);
      expect(header).toBe(CSV_HEADER);
      expect(rows.map((row) => Number(row.split(',')[0]))).toEqual(
        Array.from({ length: 3000 }, (_, index) => index + 1),
      );
    }
  });

  it.each(['csv', 'jsonl'])(
    'counts the bad rows of a %s that were written before a kill',
    async (extension) => {
      const folder = await temporaryFolder();
      const [input, output] = [join(folder, 'in.csv'), join(folder, `out.${extension}`)];
      await writeFile(input, csvOf(3000, new Set([1, 3])));
      const args = ['batch', 'iris/2', input, output];
      await killEarly(args, output);
      const { code, stdout } = await runCommand([...args, '--json']);
      expect([code, JSON.parse(stdout)]).toMatchObject([3, { rows: 3000, bad: 2, stopped: false }]);
      expect(JSON.parse(stdout).resumed_at).toBeGreaterThan(3);
    },
  );

  it('removes a line that was cut off', async () => {
    const folder = await temporaryFolder();
    const [input, output] = [join(folder, 'in.csv'), join(folder, 'out.jsonl')];
    await writeFile(input, csvOf(50_000));
    const { process: child, outcome } = startCommand(['batch', 'iris', input, output, '-b', '10']);
    while ((await stat(output).catch(() => ({ size: 0 }))).size < 1000) await wait(5);
    child.kill('SIGKILL');
    await outcome;
    const text = await readFile(output);
    await writeFile(output, text.subarray(0, text.length - 17));
    expect((await runCommand(['batch', 'iris', input, output])).code).toBe(0);
    const rows = (await linesOf(output)).map((line) => JSON.parse(line).row);
    expect(rows).toEqual(Array.from({ length: 50_000 }, (_, index) => index + 1));
  });

  it('stops at a signal after a complete batch, and says how to resume', async () => {
    const folder = await temporaryFolder();
    const [input, output] = [join(folder, 'in.csv'), join(folder, 'out.jsonl')];
    await writeFile(input, csvOf(50_000));
    const { process: child, outcome } = startCommand(['batch', 'iris', input, output, '-b', '10']);
    while ((await stat(output).catch(() => ({ size: 0 }))).size < 1000) await wait(5);
    child.kill('SIGINT');
    const { code, stderr } = await outcome;
    const lines = await linesOf(output);
    expect([code, stderr]).toEqual([
      130,
      `Stopped after row ${lines.length}; the same command resumes from there.\n`,
    ]);
    expect(JSON.parse(lines.at(-1) ?? '').row).toBe(lines.length);
  });

  it('neither replaces an output nor resumes one of another batch', async () => {
    const folder = await temporaryFolder();
    const [input, output] = [join(folder, 'in.csv'), join(folder, 'out.jsonl')];
    await writeFile(input, csvOf(50_000));
    await writeFile(output, 'mine\n');
    const refused = await runCommand(['batch', 'iris', input, output]);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      `${output} exists already; name another output, or replace it with --force.\n`,
    ]);
    expect(await readFile(output, 'utf8')).toBe('mine\n');
    const { process: child, outcome } = startCommand(['batch', 'iris', input, output, '--force', '-b', '10']);
    while (!(await readFile(output, 'utf8').catch(() => '')).includes('"row":1,')) await wait(5);
    child.kill('SIGKILL');
    await outcome;
    const other = await runCommand(['batch', 'iris/1', input, output]);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('of another model ("iris (iris/2)", now "iris/1 (iris/1)")');
  });

  it('answers each image of a folder by its path', async () => {
    const folder = await temporaryFolder();
    const images = join(folder, 'images');
    await cp(join(PROJECT, 'test/fixtures/digits'), join(images, 'below'), { recursive: true });
    await writeFile(join(images, 'broken.png'), '\x89PNG\r\n\x1a\nno');
    await symlink('nowhere', join(images, 'gone.png'));
    await writeFile(join(images, 'notes.txt'), 'not an image');
    const output = join(folder, 'out.jsonl');
    const { code } = await runCommand(['batch', 'digits', images, output]);
    const results = (await linesOf(output)).map((line) => JSON.parse(line));
    expect(code).toBe(3);
    expect(results.at(-1)).toMatchObject({
      file: 'gone.png',
      error: 'gone.png cannot be read: no such file or directory (ENOENT).',
    });
    expect(results.at(-2)).toMatchObject({ file: 'broken.png', error: expect.stringMatching(/broken\.png/) });
    const wrong = results
      .slice(0, -2)
      .filter(({ file, prediction }) => !file.endsWith(`label-${prediction}.png`));
    expect(results.length).toBeGreaterThan(5);
    expect(wrong).toEqual([]);
  });

  it('reports pipes and devices in a folder of images as bad rows', async () => {
    const folder = await temporaryFolder();
    const [images, output] = [join(folder, 'images'), join(folder, 'out.jsonl')];
    await mkdir(join(images, 'folder.png'), { recursive: true });
    await cp(join(PROJECT, 'test/fixtures/digits/07-label-7.png'), join(folder, 'seven.png'));
    await symlink('../seven.png', join(images, 'a-link.png'));
    await symlink('/dev/zero', join(images, 'b-device.png'));
    await symlink('.', join(images, 'c-folder.png'));
    spawnSync('mkfifo', [join(images, 'd-pipe.png')]);
    await symlink('d-pipe.png', join(images, 'e-link.png'));
    const { code } = await runCommand(['batch', 'digits', images, output]);
    const results = (await linesOf(output)).map((line) => JSON.parse(line));
    expect(code).toBe(3);
    expect(results.map(({ file, prediction, error }) => [file, error ?? prediction])).toEqual([
      ['a-link.png', '7'],
      ['b-device.png', 'b-device.png cannot be read: it is a device, not a file.'],
      ['c-folder.png', 'c-folder.png cannot be read: illegal operation on a directory (EISDIR).'],
      ['d-pipe.png', 'd-pipe.png cannot be read: it is a pipe, not a file.'],
      ['e-link.png', 'e-link.png cannot be read: it is a pipe, not a file.'],
    ]);
  });

  it.each([
    ['batch', 'csv'],
    ['batch', 'jsonl'],
    ['compare', 'tsv'],
  ])('refuses a pipe as its input: %s, .%s', async (command, extension) => {
    const folder = await temporaryFolder();
    const pipe = join(folder, `rows.${extension}`);
    spawnSync('mkfifo', [pipe]);
    const args = command === 'batch' ? ['iris', pipe, join(folder, 'o.csv')] : ['iris', 'iris/1', '-d', pipe];
    const { code, stderr } = await runCommand([command, ...args]);
    expect([code, stderr]).toEqual([
      2,
      `The input ${JSON.stringify(pipe)} is a pipe, not a file: save its content as a file first.\n`,
    ]);
  });

  it('keeps digits in a column of texts as they are written', async () => {
    const folder = await temporaryFolder();
    const [input, output] = [join(folder, 'in.csv'), join(folder, 'out.jsonl')];
    await writeFile(input, 'city,area,rooms,garden\n007,50,2,no\n');
    const model = join(PROJECT, 'test/fixtures/formats/tabular/sklearn-columns');
    const { code } = await runCommand(['batch', model, input, output]);
    expect(code).toBe(0);
    expect(JSON.parse((await linesOf(output))[0] ?? '')).toMatchObject({
      row: 1,
      class_id: expect.any(Number),
    });
  });

  it.each([
    ['lacks columns', 'a,b\n1,2\n', ['columns "sepal_length", "sepal_width"', 'add --header absent']],
    ['has another separator', 'sepal_length;sepal_width\n1;2\n', ['try --delimiter ";"']],
    [
      'has columns twice',
      `${HEADER},petal_width,id\n1,2,3,4,5,6,7\n`,
      ['The table has the column "petal_width" more than once; expected each name once.'],
    ],
    [
      'has a column twice and lacks another',
      'petal_width,petal_width,sepal_length,sepal_width\n1,2,3,4\n',
      [
        'The table has no column "petal_length"; its columns are "petal_width", "petal_width", "sepal_length", "sepal_width".' +
          ' The table has the column "petal_width" more than once',
      ],
    ],
    ['is not in UTF-8', Buffer.from('caf\xe9,b\n', 'latin1'), ['The first row', 'is not valid UTF-8']],
    ['is in UTF-16 without saying so', Buffer.from(csvOf(1), 'utf16le'), ['save it as CSV in UTF-8']],
  ])('refuses a table that %s before it writes anything', async (_, content, texts) => {
    const folder = await temporaryFolder();
    const input = join(folder, 'in.csv');
    await writeFile(input, content);
    const { code, stderr } = await runCommand(['batch', 'iris', input, join(folder, 'out.csv')]);
    expect(code).toBe(1);
    for (const text of texts) expect(stderr).toContain(text);
    expect(stderr).toMatch(/^The (?:table|first row) .*\n$|^.*: save it as CSV in UTF-8\.\n$/i);
    expect(await readdir(folder)).toEqual(['in.csv']);
  });

  it.each([
    ['a missing word', '5.1,NA,1.4,0.2'],
    ['a typing error', '5.1,3.5,x,0.2'],
    ['an infinite number', '5.1,inf,1.4,0.2'],
  ])('does not take a first row with %s for names', async (_, first) => {
    const folder = await temporaryFolder();
    const [input, output] = [join(folder, 'in.csv'), join(folder, 'out.jsonl')];
    await writeFile(input, `${first}\n5.1,3.5,1.4,0.2\n`);
    const { code, stderr } = await runCommand(['batch', 'iris', input, output]);
    expect([code, stderr]).toEqual([3, '']);
    const rows = (await linesOf(output)).map((line) => JSON.parse(line));
    expect(rows.map(({ row }) => row)).toEqual([1, 2]);
    expect(rows[1]).toMatchObject({ prediction: 'setosa' });
  });

  it('says which names it reads if the model has none, or if --header says so', async () => {
    const folder = await temporaryFolder();
    const [input, output] = [join(folder, 'in.csv'), join(folder, 'out.jsonl')];
    await writeFile(input, 'd,c,b,a\n5.1,3.5,1.4,0.2\n');
    const model = join(PROJECT, 'test/fixtures/formats/tabular/sklearn-matrix');
    const batch = (...options: readonly string[]) =>
      runCommand(['batch', model, input, output, '--force', ...options]);
    expect((await batch()).stderr).toBe(
      'The first row is read as the names of the columns ("d", "c", "b", "a"); the model has no names, ' +
        'so it gets the cells in their order. If it is data, add --header absent.\n',
    );
    expect((await batch('--header', 'present')).stderr).toBe('');
    expect(await linesOf(output)).toHaveLength(1);
    await batch('--header', 'absent');
    expect(await linesOf(output)).toHaveLength(2);
  });

  it('takes tables with other delimiters', async () => {
    const folder = await temporaryFolder();
    const [input, tabs] = [join(folder, 'in.csv'), join(folder, 'in.tsv')];
    await writeFile(input, csvOf(3).replaceAll(',', ';'));
    await writeFile(tabs, csvOf(3).replaceAll(',', '\t'));
    const [a, b] = [join(folder, 'a.jsonl'), join(folder, 'b.jsonl')];
    expect((await runCommand(['batch', 'iris', input, a, '--delimiter', ';'])).code).toBe(0);
    expect((await runCommand(['batch', 'iris', tabs, b])).code).toBe(0);
    expect(await linesOf(a)).toHaveLength(3);
    expect(await linesOf(b)).toEqual(await linesOf(a));
  });

  it('keeps the error of a row with more or fewer cells than names', async () => {
    const folder = await temporaryFolder();
    const [input, output] = [join(folder, 'in.csv'), join(folder, 'out.jsonl')];
    await writeFile(input, `${HEADER}\n0,0.2,5.1,3.5,1.4\n0,0.2,5,1,3,5,1\n0,0.2\n`);
    expect((await runCommand(['batch', 'iris', input, output])).code).toBe(3);
    const results = (await linesOf(output)).map((line) => JSON.parse(line));
    expect(results).toMatchObject([
      { row: 1, prediction: 'setosa' },
      { row: 2, error: 'row 2 has 7 cells; the first row has 5 names.' },
      { row: 3, error: 'row 3 has 2 cells; the first row has 5 names.' },
    ]);
  });

  it.each([
    [['none.csv', 'out.csv'], /no such file/],
    [['in.csv', 'out.xlsx'], /must end in \.jsonl or \.csv/],
    [['in.csv', 'none/out.csv'], /There is no folder ".*none" for the output/],
    [['in.csv', 'in.csv', '--force'], /The output is the input/],
    [['in.csv', 'link.csv', '--force'], /The output is the input/],
    [['in.csv', 'folder.csv'], /is a folder/],
    [['in.csv', 'out.csv', '-b', '0'], /--batch-size "0" must be a whole number from 1 to 65536/],
    [['in.csv', 'out.csv', '--delimiter', '::'], /--delimiter "::" must be one character/],
  ])(
    '%j is a mistake of the user and changes no file',
    async ([input = '', output = '', ...options], text) => {
      const folder = await temporaryFolder();
      await writeFile(join(folder, 'in.csv'), csvOf(3));
      await symlink(join(folder, 'in.csv'), join(folder, 'link.csv'));
      await mkdir(join(folder, 'folder.csv'));
      const args = ['batch', 'iris', join(folder, input), join(folder, output), ...options];
      const { code, stderr } = await runCommand(args);
      expect([code, stderr]).toEqual([2, expect.stringMatching(text)]);
      expect(await readFile(join(folder, 'in.csv'), 'utf8')).toBe(csvOf(3));
      expect(await readdir(folder)).toEqual(['folder.csv', 'in.csv', 'link.csv']);
    },
  );

  it.each([
    ['digits', '.csv', 'The model digits takes images'],
    ['iris', '', 'The model iris takes rows'],
  ])('says at once that %s takes something else', async (model, extension, text) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'in.csv'), csvOf(1));
    const input = extension === '' ? join(PROJECT, 'test/fixtures/digits') : join(folder, 'in.csv');
    const { code, stderr } = await runCommand(['batch', model, input, join(folder, 'out.csv')]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(text)]);
  });

  it('resumes only with the same model files, input and options', async () => {
    const folder = await temporaryFolder();
    const [input, output, model] = [join(folder, 'in.csv'), join(folder, 'out.jsonl'), join(folder, 'm')];
    await cp(join(PROJECT, 'models/iris/2'), model, { recursive: true });
    await writeFile(input, csvOf(50_000));
    const args = ['batch', model, input, output, '-b', '10'];
    const { process: child, outcome } = startCommand(args);
    while ((await stat(output).catch(() => ({ size: 0 }))).size < 1000) await wait(5);
    child.kill('SIGKILL');
    await outcome;
    const absent = await runCommand([...args, '--header', 'absent']);
    expect(absent.stderr).toContain('an input that has changed since, or was read with other options');
    await cp(join(PROJECT, 'models/iris/1/model.onnx'), join(model, 'model.onnx'));
    await writeFile(join(model, 'model.json'), '{"task": "tabular-classification"}');
    expect((await runCommand(args)).stderr).toContain('a model whose files have changed since');
  });

  it('does not write to an output that another batch is writing to', async () => {
    const folder = await temporaryFolder();
    const [input, output] = [join(folder, 'in.csv'), join(folder, 'out.jsonl')];
    await writeFile(input, csvOf(50_000));
    const args = ['batch', 'iris', input, output];
    const first = startCommand([...args, '-b', '10']);
    while ((await stat(output).catch(() => ({ size: 0 }))).size < 1000) await wait(5);
    // Stopped, so that it cannot end before the others have started.
    first.process.kill('SIGSTOP');
    for (const more of [[], ['--force']]) {
      const second = await runCommand([...args, ...more]);
      expect([second.code, second.stderr]).toEqual([1, expect.stringContaining('Another batch (process ')]);
    }
    first.process.kill('SIGCONT');
    expect((await first.outcome).code).toBe(0);
    const rows = (await linesOf(output)).map((line) => JSON.parse(line).row);
    expect(rows).toEqual(Array.from({ length: 50_000 }, (_, index) => index + 1));
    expect(await readdir(folder)).toEqual(['in.csv', 'out.jsonl']);
  });

  it('never takes an older output for the start of a new one', async () => {
    const folder = await temporaryFolder();
    const [input, output] = [join(folder, 'in.csv'), join(folder, 'out.jsonl')];
    await writeFile(input, csvOf(20_000));
    await writeFile(output, '{"row":1,"prediction":"old"}\n'.repeat(100));
    const { process: child, outcome } = startCommand(['batch', 'iris', input, output, '--force', '-b', '10']);
    // Killed as soon as the journal is there, in any state of the output.
    while (!(await stat(`${output}.progress`).catch(() => undefined))) await wait(1);
    child.kill('SIGKILL');
    await outcome;
    expect((await runCommand(['batch', 'iris', input, output])).code).toBe(0);
    const text = await readFile(output, 'utf8');
    expect(text).not.toContain('old');
    expect(text.trimEnd().split('\n')).toHaveLength(20_000);
  });
});

describe('ternion compare', () => {
  it('says where two models differ, and how long each takes', async () => {
    const folder = await temporaryFolder();
    const input = join(folder, 'in.csv');
    await writeFile(input, csvOf(200, new Set([5])));
    const { code, stdout } = await runCommand(['--json', 'compare', 'iris/1', 'models/iris/2', '-d', input]);
    expect(code).toBe(3);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      rows: 199,
      bad: 1,
      latency: [{ model: 'iris/1' }, { model: 'models/iris/2' }],
    });
    expect(report.labels_differ).toBeGreaterThan(10);
    expect(report.first_differing).toHaveLength(10);
    expect(report.largest_difference.value).toBeGreaterThan(0.1);
    const same = await runCommand(['--json', 'compare', 'iris/1', 'models/iris/1', '-d', input, '-n', '50']);
    expect(JSON.parse(same.stdout)).toMatchObject({
      rows: 49,
      bad: 1,
      labels_differ: 0,
    });
    expect(JSON.parse(same.stdout).largest_difference.value).toBeLessThan(1e-6);
  });

  it('compares tensors by position if their inputs have different names, and says where values are NaN', async () => {
    const folder = await temporaryFolder();
    const [a, b, data] = [join(folder, 'a.onnx'), join(folder, 'b.onnx'), join(folder, 'rows.jsonl')];
    const build = (input: string, operator: string) =>
      buildModel({
        inputs: [tensorValue(input, FLOAT, ['n'])],
        outputs: [tensorValue('y', FLOAT, ['n'])],
        nodes: [buildNode(operator, [input], ['y'])],
      });
    await writeFile(a, build('x', 'Sqrt'));
    await writeFile(b, build('input.1', 'Abs'));
    await writeFile(data, '{"x": [0, 1]}\n{"x": [4]}\n');
    const run = async () => JSON.parse((await runCommand(['--json', 'compare', a, b, '-d', data])).stdout);
    expect(await run()).toMatchObject({ rows: 2, bad: 0, largest_difference: { value: 2, row: 2 } });
    await writeFile(data, '{"x": [4]}\n{"x": [-1]}\n');
    expect(await run()).toMatchObject({ largest_difference: { value: 'Infinity', row: 2 } });
    expect(await run()).not.toHaveProperty('labels_differ');
  });

  it('says why rows cannot be used, and that models take different things', async () => {
    const folder = await temporaryFolder();
    const input = join(folder, 'in.jsonl');
    await writeFile(input, '[1, 2]\n');
    const none = await runCommand(['compare', 'iris/1', 'iris/2', '-d', input]);
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringMatching(/^None of the rows can be used: Field "row 1" has 2 values/),
    ]);
    const other = await runCommand(['compare', 'iris/1', 'digits', '-d', input]);
    expect([other.code, other.stderr]).toEqual([
      2,
      'They cannot be compared: iris/1 takes features, digits takes image.\n',
    ]);
  });

  it('compares no labels with vectors', async () => {
    const folder = await temporaryFolder();
    const input = join(folder, 'in.jsonl');
    await writeFile(input, '{"text": "good"}\n');
    const sentiment = join(PROJECT, 'test/fixtures/formats/optimum/bert-sentiment');
    const vectors = join(folder, 'vectors');
    await cp(sentiment, vectors, { recursive: true });
    await writeFile(join(vectors, 'model.json'), '{"task": "feature-extraction"}');
    const { code, stdout, stderr } = await runCommand(['compare', sentiment, vectors, '-d', input]);
    expect([code, stdout, stderr]).toEqual([
      2,
      '',
      `They cannot be compared: ${sentiment} gives labels, ${vectors} gives vectors.\n`,
    ]);
  });
});
