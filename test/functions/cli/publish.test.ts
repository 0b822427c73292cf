import { spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { create } from 'tar';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ownName } from '../../../shared/leftovers.ts';
import { readGraph } from '../../../shared/onnx/graph.ts';
import { withOpenFile } from '../../../shared/onnx/protobuf.ts';
import { createReleaseLog } from '../../../shared/releases/release-log.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import {
  buildModel,
  buildNode,
  externalInitializer,
  FLOAT,
  floatInitializer,
  INT64,
  identityModel,
  int64Initializer,
  integerAttribute,
  tensorValue,
  UINT8,
} from '../../support/build-model.ts';
import { readEstimator } from '../../support/estimators.ts';
import { PROJECT } from '../../support/project.ts';
import { runCommand, startCommand, temporaryFolder } from '../../support/run-command.ts';
import { makeFolder, writeFiles } from '../../support/temporary-folder.ts';

const IRIS = join(PROJECT, 'models/iris/1');
const DIGIT = join(PROJECT, 'test/fixtures/digits/07-label-7.png');
const SETOSA = '[5.1, 3.5, 1.4, 0.2]';

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

describe('ternion inspect', () => {
  it('says what a model takes and gives, and shows the equivalent model.json', async () => {
    const { code, stdout } = await runCommand(['inspect', IRIS]);
    expect(code).toBe(0);
    expect(stdout.split('\n').slice(1, 8)).toEqual([
      '  file       model.onnx, 72.7 kB, 98.1 kB with its 2 other files',
      '  operators  ai.onnx.ml 1, ai.onnx 21',
      '  input      features  FP32  [?, 4]',
      '  output     output_label        BYTES     [?]',
      '  output     output_probability  sequence',
      '  format     ternion',
      '  task       tabular-classification',
    ]);
    const json = JSON.parse((await runCommand(['inspect', join(PROJECT, 'models/digits'), '--json'])).stdout);
    expect(json).toMatchObject({
      file: 'model.onnx',
      parameters: 35_932,
      opsets: { 'ai.onnx': 18 },
      inputs: [{ name: 'image', datatype: 'FP32', shape: ['batch', 1, 8, 8] }],
      outputs: [{ name: 'logits', datatype: 'FP32', shape: ['batch', 10] }],
      task: 'image-classification',
      model_json: { postprocess: [{ step: 'softmax' }] },
      warnings: [],
    });
  });

  it('lists the metadata of the graph, and takes the labels that it has for its classes', async () => {
    const file = join(await temporaryFolder(), 'model.onnx');
    const model = buildModel({
      nodes: [buildNode('GlobalAveragePool', ['x'], ['means']), buildNode('Flatten', ['means'], ['y'])],
      inputs: [tensorValue('x', FLOAT, ['n', 3, 8, 8])],
      outputs: [tensorValue('y', FLOAT, ['n', 3])],
      metadata: [
        ['stride', '32'],
        ['names', "{0: 'red', 1: 'green', 2: 'blue'}"],
        ['author', 'x'.repeat(5000)],
        ['lines', 'a\nb\u001b[2J'],
      ],
    });
    await writeFile(file, model);
    const labels = ['red', 'green', 'blue'];
    const json = JSON.parse((await runCommand(['inspect', file, '--json'])).stdout);
    expect(json).toMatchObject({
      metadata: [
        { key: 'stride', value: '32', bytes: 2 },
        { key: 'names', value: "{0: 'red', 1: 'green', 2: 'blue'}", bytes: 33 },
        { key: 'author', value: `${'x'.repeat(200)}…`, bytes: 5000 },
        { key: 'lines', value: 'a\nb\u001b[2J', bytes: 7 },
      ],
      model_json: { task: 'tensor', labels },
      suggestion: { model_json: { task: 'image-classification', labels } },
    });
    expect((await runCommand(['inspect', file])).stdout.split('\n').slice(5, 9)).toEqual([
      '  metadata   stride  32',
      "  metadata   names   {0: 'red', 1: 'green', 2: 'blue'}",
      `  metadata   author  ${'x'.repeat(60)}…`,
      '  metadata   lines   a b\\u001b[2J',
    ]);
  });

  it('names its argument, and counts the bytes of the graph and of all files', async () => {
    const folder = await temporaryFolder();
    await cp(join(IRIS, 'model.onnx'), join(folder, 'my forest.onnx'));
    await writeFile(join(folder, 'my forest.onnx.data'), Buffer.alloc(1000));
    const json = JSON.parse((await runCommand(['inspect', join(folder, 'my forest.onnx'), '--json'])).stdout);
    const { size } = await stat(join(IRIS, 'model.onnx'));
    expect(json).toMatchObject({
      file: 'my forest.onnx',
      size_bytes: size,
      files: 2,
      total_bytes: size + 1000,
    });
  });

  it('finds the weights that a graph names, for any name of the graph', async () => {
    const folder = await temporaryFolder();
    const model = buildModel({
      nodes: [buildNode('Add', ['x', 'w'], ['y'])],
      inputs: [tensorValue('x', FLOAT, [2])],
      outputs: [tensorValue('y', FLOAT, [2])],
      initializers: [externalInitializer('w', 'weights.bin')],
    });
    await writeFile(join(folder, 'renamed.onnx'), model);
    await writeFile(join(folder, 'weights.bin'), Buffer.from(Float32Array.of(10, 20).buffer));
    await writeFile(join(folder, 'notes.txt'), 'nothing of it');
    const json = JSON.parse((await runCommand(['inspect', join(folder, 'renamed.onnx'), '--json'])).stdout);
    expect(json).toMatchObject({ file: 'renamed.onnx', files: 2, task: 'tensor' });
  });

  it('does not take a file for a part of a graph that contains its name by chance', async () => {
    const folder = await temporaryFolder();
    const model = buildModel({
      nodes: [buildNode('Add', ['customers', 'w'], ['scores.csv'])],
      inputs: [tensorValue('customers', FLOAT, [2])],
      outputs: [tensorValue('scores.csv', FLOAT, [2])],
      initializers: [externalInitializer('w', './below/weights.bin'), externalInitializer('v', '../secret')],
    });
    await mkdir(join(folder, 'm/below'), { recursive: true });
    await writeFile(join(folder, 'm/x.onnx'), model);
    await writeFile(join(folder, 'm/below/weights.bin'), Buffer.from(Float32Array.of(10, 20).buffer));
    for (const name of ['m/customers', 'm/scores.csv', 'secret']) await writeFile(join(folder, name), 'mine');
    const json = JSON.parse((await runCommand(['inspect', join(folder, 'm/x.onnx'), '--json'])).stdout);
    expect(json).toMatchObject({ files: 2, total_bytes: model.length + 8 });
  });

  it('shows the first of many inputs', async () => {
    const folder = await temporaryFolder();
    const names = Array.from({ length: 50 }, (_, index) => `column_${index}`);
    const model = buildModel({
      inputs: names.map((name) => tensorValue(name, FLOAT, [1, 1])),
      outputs: [tensorValue('scores', FLOAT, [1, 1000])],
      nodes: [],
    });
    await writeFile(join(folder, 'model.onnx'), model);
    const { stdout } = await runCommand(['inspect', folder]);
    expect(stdout).toMatch(/^ {2}input {6}column_19 {2}FP32 {2}\[1, 1\]\n {2}input {6}and 30 more$/m);
  });

  it.each([
    [
      'an empty folder',
      '.',
      /holds no model: none of \*\.onnx, onnx\/\*\.onnx, MLmodel, MAR-INF\/MANIFEST\.json\.\n$/,
    ],
    [
      'a repository',
      'models',
      /It is a repository of models: digits, iris; name one of them, as in "models\/digits" or in digits -r "models"\.\n$/,
    ],
    [
      'a folder with a graph that is not one',
      'other',
      /its a\.onnx is not an ONNX file, or it is truncated\.\n$/,
    ],
    [
      'a folder with a graph that lies beside models',
      'left',
      /holds a model in houses; name that: ".*left\/houses"\.\n$/,
    ],
    ['a device', '/dev/null', /is neither a file nor a folder/],
  ])('says what to do with %s', async (_, path, text) => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'other'));
    await writeFile(join(folder, 'other/a.onnx'), 'x');
    await mkdir(join(folder, 'left/houses'), { recursive: true });
    for (const name of ['left/a.onnx', 'left/houses/model.onnx']) await writeFile(join(folder, name), 'x');
    const place =
      path === 'models' ? 'models' : path === '.' ? await temporaryFolder() : resolve(folder, path);
    const { code, stdout, stderr } = await runCommand(['inspect', place]);
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(text)]);
  });

  it.each(['inspect', 'predict', 'add'])(
    '%s does not take a folder with several models as one',
    async (command) => {
      const folder = await temporaryFolder();
      const exports = join(folder, 'exports');
      const data = command === 'predict' ? [SETOSA] : ['-r', join(folder, 'repository')];
      const run = () => runCommand([command, exports, ...data]);
      await cp(IRIS, join(exports, 'houses'), { recursive: true });
      const one = await run();
      expect([one.code, one.stdout, one.stderr]).toEqual([
        1,
        '',
        `"${exports}" holds a model in houses; name that: "${join(exports, 'houses')}".\n`,
      ]);
      await cp(IRIS, join(exports, 'xgbreg'), { recursive: true });
      const several = await run();
      expect([several.code, several.stdout, several.stderr]).toEqual([
        1,
        '',
        `"${exports}" holds several models: houses, xgbreg; name one of them, as in "${join(exports, 'houses')}".\n`,
      ]);
      expect(await readdir(folder)).toEqual(['exports']);
    },
  );

  it('says what is missing if a path or the repository does not exist', async () => {
    const { code, stderr } = await runCommand(['inspect', 'nothere.onnx', '-r', './nowhere']);
    expect([code, stderr]).toEqual([
      1,
      'There is no file or folder "nothere.onnx", and no repository at ./nowhere to look for a model of that name; name one with --repository.\n',
    ]);
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ['model.pt', 'no zip', /model\.pt" is a PyTorch file, not an ONNX model; .*torch\.onnx\.export\(/],
    [
      'forest.pkl',
      'no pickle',
      /forest\.pkl" is a Python pickle, not .*; export it first: python python\/ternion_export\.py .*forest\.pkl rows\.csv exports\/forest, /,
    ],
    [
      'forest.onnx',
      '\u0080\u0004\u0095sklearn.svm',
      /forest\.onnx" is a scikit-learn pickle, not .*: python python\/ternion_export\.py .*forest\.onnx rows\.csv /,
    ],
    [
      'densenet.mar',
      'no zip',
      /densenet\.mar" is a TorchServe archive, not .*; unpack it and name the folder: unzip .*densenet\.mar -d .*densenet\.$/m,
    ],
    [
      'xgb.json',
      '{"learner": {}}',
      /xgb\.json" is an XGBoost model, not .*: python python\/ternion_export\.py .*xgb\.json rows\.csv exports\/xgb, /,
    ],
    [
      'lgb.txt',
      'tree\nversion=v4\n',
      /lgb\.txt" is a LightGBM model, .*ternion_export\.py .*lgb\.txt rows\.csv /,
    ],
    ['cat.cbm', 'CBM1', /cat\.cbm" is a CatBoost model, /],
    ['net.h5', '\u0089HDF\r\n\u001a\n', /net\.h5" is an HDF5 file.*\.export\(".*net\.onnx", format="onnx"\)/],
    [
      'net.tflite',
      '\0\0\0\0TFL3',
      /python -m tf2onnx\.convert --tflite .*net\.tflite --output .*net\.onnx\.$/m,
    ],
    ['forest.joblib', '\u0078\u009cx', /forest\.joblib" is a compressed file .*ternion_export\.py/],
    [
      'model.tar.gz',
      '\u001f\u008b',
      /model\.tar\.gz" is not a tar archive, or is damaged: unexpected end of file\./,
    ],
    [
      'model.json',
      '{"task": "tensor"}',
      /model\.json" is a model\.json of Ternion, .*name the folder that it is in: "/,
    ],
    [
      'cat.txt',
      'a cat',
      /^The model cannot be served: its cat\.txt is not an ONNX file, or it is truncated\.\n$/,
    ],
    ['empty.pt', '', /^The model cannot be served: its empty\.pt is empty\.\n$/],
  ])('names the file %s, which is not an ONNX model, and says what to do', async (name, content, message) => {
    const file = join(await temporaryFolder(), name);
    await writeFile(file, content, 'latin1');
    const { code, stdout, stderr } = await runCommand(['inspect', file]);
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(message)]);
  });

  it('says how a folder of other weights is exported', async () => {
    const folder = join(await temporaryFolder(), 'sent');
    await mkdir(folder);
    await writeFile(join(folder, 'model.safetensors'), 'x');
    const plain = await runCommand(['inspect', folder]);
    expect(plain.stderr).toMatch(
      /Its model\.safetensors is a file of weights \(safetensors\), not an ONNX model; /,
    );
    await writeFile(join(folder, 'config.json'), '{}');
    const { code, stderr } = await runCommand(['inspect', folder]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(`export it first: optimum-cli export onnx --model ${folder} sent-onnx\n`),
    ]);
    await writeFile(join(folder, 'model.safetensors'), 'version https://git-lfs.github.com/spec/v1\n');
    expect((await runCommand(['inspect', folder])).stderr).toMatch(
      / is a pointer of Git LFS.*; run git lfs pull\.$/m,
    );
  });

  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    [
      'a SavedModel',
      { 'saved_model.pb': '\b\u0001\u0012\u0017StatefulPartitionedCall', 'variables/variables.index': '' },
      /"house" holds no model: .* Its saved_model\.pb is a TensorFlow SavedModel, .*; export it first: python -m tf2onnx\.convert --saved-model house --output house\.onnx\.$/m,
    ],
    [
      'a version of TensorFlow Serving, known by its names alone',
      { '1/saved_model.pb': 'x', '1/variables/variables.index': '' },
      /Its 1\/saved_model\.pb is a TensorFlow SavedModel, .*; export it first: python -m tf2onnx\.convert --saved-model house\/1 --output house\/1\.onnx\.$/m,
    ],
    [
      "MLflow's flavor of scikit-learn",
      { MLmodel: 'flavors:\n  python_function: {}\n  sklearn: {}\n', 'model.pkl': 'x' },
      /^"house" is an MLflow model, and onnx is not among its flavors \(python_function, sklearn\); export it first: python python\/ternion_export\.py house rows\.csv exports\/house, .*; see docs\/models\.md#an-mlflow-model\.\n$/,
    ],
    [
      "MLflow's flavor of Spark",
      { MLmodel: 'flavors:\n  spark: {}\n' },
      /^"house" is an MLflow model, .* \(spark\); export the model that it was made from; see docs\/models\.md#an-mlflow-model\.\n$/,
    ],
    [
      'a pickle as the only graph',
      { 'model.onnx': '\u0080\u0004\u0095sklearn.svm' },
      /^"house\/model\.onnx" is a scikit-learn pickle, not an ONNX model; export it first: python/,
    ],
    [
      'a Git clone',
      { '.git/HEAD': 'ref' },
      /Its files are those of a Git clone without an ONNX model: if they are in Git LFS, run git lfs pull/,
    ],
    ['nothing', { 'notes.md': 'x' }, /^"house" holds no model: none of [^\n]*MANIFEST\.json\.\n$/],
  ])('says what to do with a folder of %s', async (_, files, message) => {
    const parent = await temporaryFolder();
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(parent, 'house', path)), { recursive: true });
      await writeFile(join(parent, 'house', path), content, 'latin1');
    }
    const { code, stderr } = await startCommand(['inspect', 'house'], '', {}, parent).outcome;
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  });

  it.each(['nowhere', '/dev/zero'])('does not name a graph that is a link to %s', async (target) => {
    const folder = await temporaryFolder();
    await symlink(target, join(folder, 'model.onnx'));
    const { code, stderr } = await runCommand(['inspect', folder]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/ Its model\.onnx is neither a file nor a link to one\.\n$/),
    ]);
  });

  it('warns about outputs of one row if the batch axis of the inputs is open', async () => {
    const folder = await temporaryFolder();
    const build = (rows: number | string) =>
      buildModel({
        inputs: [tensorValue('x', FLOAT, ['n', 4])],
        outputs: [tensorValue('logits', FLOAT, [rows, 4])],
        nodes: [buildNode('Abs', ['x'], ['logits'])],
      });
    const warningsOf = async (rows: number | string) => {
      await writeFile(join(folder, 'model.onnx'), build(rows));
      return JSON.parse((await runCommand(['inspect', folder, '--json'])).stdout).warnings;
    };
    const warning =
      'the output "logits" is [1, 4] although the batch axis of the input is open: it was exported with an example of one row; export it with two rows to run batches';
    expect(await warningsOf(1)).toContain(warning);
    expect(await warningsOf('n')).toEqual([expect.stringMatching(/^nothing says what its tensors mean/)]);
  });

  it('warns about a second softmax, and about scores that may be probabilities', async () => {
    const warningsOf = async (operator: string, postprocess: readonly object[]) => {
      const folder = await temporaryFolder();
      await writeFile(
        join(folder, 'model.onnx'),
        buildModel({
          inputs: [tensorValue('x', FLOAT, ['n', 2])],
          outputs: [tensorValue('y', FLOAT, ['n', 2])],
          nodes: [buildNode(operator, ['x'], ['y'])],
        }),
      );
      const config = { task: 'tabular-classification', labels: ['a', 'b'], postprocess };
      await writeFile(join(folder, 'model.json'), JSON.stringify(config));
      return JSON.parse((await runCommand(['inspect', folder, '--json'])).stdout).warnings;
    };
    const softmax = [{ step: 'softmax' }];
    expect(await warningsOf('Softmax', [])).toEqual([]);
    expect(await warningsOf('Abs', softmax)).toEqual([]);
    expect(await warningsOf('Softmax', softmax)).toEqual([
      'its config asks for softmax, but its output "y" already has probabilities: leave the step out of "postprocess"',
    ]);
    expect(await warningsOf('Abs', [])).toEqual([
      'its graph does not say that the output "y" has probabilities: answers have "scores" without a "confidence". If they are logits, add a "postprocess" to model.json; if they are probabilities, add "output": {"probabilities": "y"}',
    ]);
  });

  it('writes a model.json for a graph from pictures to scores, which serves it', async () => {
    const folder = await temporaryFolder();
    const model = buildModel({
      inputs: [tensorValue('pixels', FLOAT, ['n', 3, 8, 8])],
      outputs: [tensorValue('logits', FLOAT, ['n', 192])],
      nodes: [buildNode('Flatten', ['pixels'], ['logits'])],
    });
    await writeFile(join(folder, 'model.onnx'), model);
    const { stdout } = await runCommand(['inspect', join(folder, 'model.onnx')]);
    const [, place, json = ''] =
      /^ {2}hint {7}.*save this as ([^;]*);.*\n(\{\n[\s\S]*\n\})$/m.exec(stdout) ?? [];
    expect(place).toBe(join(folder, 'model.json'));
    await cp(join(folder, 'model.onnx'), join(folder, 'cats.onnx'));
    expect((await runCommand(['inspect', join(folder, 'cats.onnx')])).stdout).toContain(
      'save this as model.json in a new folder, with the graph as model.onnx;',
    );
    await writeFile(join(folder, 'model.json'), json);
    const { code, stdout: inspected } = await runCommand(['inspect', folder, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(inspected)).toMatchObject({ format: 'ternion', task: 'image-classification' });
    expect(JSON.parse(inspected)).not.toHaveProperty('suggestion');
    expect((await runCommand(['predict', folder, DIGIT])).code).toBe(0);
  });

  it.each<[string, readonly (string | number)[], string, string]>([
    ['grey planes', ['n', 1, 12, 16], 'image-classification', DIGIT],
    ['grey pixels', ['n', 12, 16, 1], 'image-classification', DIGIT],
    ['rows', ['n', 192], 'tabular-classification', JSON.stringify(new Array(192).fill(0.5))],
  ])('writes a model.json for a graph from %s to scores, which serves it', async (_, shape, task, input) => {
    const folder = await temporaryFolder();
    const model = buildModel({
      inputs: [tensorValue('x', FLOAT, shape)],
      outputs: [tensorValue('logits', FLOAT, ['n', 192])],
      nodes: [buildNode('Flatten', ['x'], ['logits'])],
    });
    await writeFile(join(folder, 'model.onnx'), model);
    const { suggestion } = JSON.parse((await runCommand(['inspect', folder, '--json'])).stdout);
    await writeFile(join(folder, 'model.json'), JSON.stringify(suggestion.model_json));
    const inspected = JSON.parse((await runCommand(['inspect', folder, '--json'])).stdout);
    expect(inspected).toMatchObject({ format: 'ternion', task });
    expect((await runCommand(['predict', folder, input])).code).toBe(0);
  });

  it('warns about a task that is not served, as does add', async () => {
    const folder = join(await temporaryFolder(), 'tagger');
    const shape = ['n', 't'];
    const model = buildModel({
      inputs: [tensorValue('input_ids', INT64, shape)],
      outputs: [tensorValue('logits', FLOAT, [...shape, 1])],
      nodes: [
        buildNode('Cast', ['input_ids'], ['floats'], { attributes: [integerAttribute('to', FLOAT)] }),
        buildNode('Unsqueeze', ['floats', 'axis'], ['logits']),
      ],
      initializers: [int64Initializer('axis', [2])],
    });
    await mkdir(folder);
    await writeFile(join(folder, 'model.onnx'), model);
    const config = { model_type: 'bert', architectures: ['BertForTokenClassification'] };
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    const warning = expect.stringMatching(
      /^it is a model for token classification, .* Ternion has no such task yet/,
    );
    const { warnings } = JSON.parse((await runCommand(['inspect', folder, '--json'])).stdout);
    expect(warnings).toEqual([warning]);
    const repository = await temporaryFolder();
    const added = await runCommand(['add', folder, '-r', repository, '--json']);
    expect(JSON.parse(added.stdout)).toMatchObject({ version: '1', warnings: [warning] });
  });

  it('takes the highest version of the folder of a model', async () => {
    const exports = join(await temporaryFolder(), 'iris');
    for (const version of ['1.9.0', '1.10.0', 'latest']) {
      await cp(IRIS, join(exports, version), { recursive: true });
    }
    const { stdout } = await runCommand(['predict', exports, SETOSA, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ model: 'iris', model_version: '1.10.0' });
  });

  it('warns about surprises, and recognises formats', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'fixed.onnx'), identityModel(FLOAT, [2, 3]));
    const fixed = await runCommand(['inspect', join(folder, 'fixed.onnx')]);
    expect(fixed.stdout).toMatch(/warning {4}nothing says what its tensors mean/);
    await cp(join(IRIS, 'model.onnx'), join(folder, 'forest.onnx'));
    const json = JSON.parse((await runCommand(['inspect', join(folder, 'forest.onnx'), '--json'])).stdout);
    expect(json).toMatchObject({
      format: 'onnx',
      model_json: { task: 'tabular-classification', labels: ['setosa', 'versicolor', 'virginica'] },
      warnings: [],
    });
  });

  it('shows the facts of a model that cannot be served, and why', async () => {
    const folder = await temporaryFolder();
    const bfloat16 = 16;
    const model = buildModel({
      inputs: [tensorValue('x', bfloat16, [2])],
      outputs: [tensorValue('y', bfloat16, [2])],
      nodes: [],
    });
    await writeFile(join(folder, 'b.onnx'), model);
    const { code, stdout } = await runCommand(['inspect', join(folder, 'b.onnx')]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ {2}input {6}x {2}BFLOAT16 {2}\[2\]$/m);
    expect(stdout).toMatch(/^ {2}problem {4}.*cannot be loaded/m);
    const whole = await runCommand(['inspect', folder]);
    expect([whole.code, whole.stdout.split('\n').slice(1, 4)]).toEqual([1, stdout.split('\n').slice(1, 4)]);
  });
});

describe('ternion add', () => {
  it('publishes a model as it will be served: rewritten, described, hashed and tried', async () => {
    const repository = join(await temporaryFolder(), 'repository');
    // A checkout has a commit, and the same files from an archive have none.
    const args = ['add', IRIS, '--name', 'flowers', '-r', repository, '--no-lineage'];
    const { code, stdout } = await runCommand(args);
    const target = join(repository, 'flowers/1');
    expect([code, stdout]).toEqual([
      0,
      `flowers/1 is in ${target} (3 files, 98.0 kB)\n  model.json, model.onnx, reference.json\nit answers the 150 requests of reference.json as expected\n`,
    ]);
    expect(await filesOf(repository)).toEqual(
      ['files.json', 'model.json', 'model.onnx', 'reference.json'].map((name) => join('flowers/1', name)),
    );
    const json = JSON.parse((await runCommand(['inspect', target, '--json'])).stdout);
    expect(json.outputs[1]).toEqual({ name: 'output_probability', datatype: 'FP32', shape: ['?', 3] });
    const served = await runCommand(['predict', 'flowers', SETOSA, '-r', repository, '--json']);
    expect(JSON.parse(served.stdout)).toMatchObject({ prediction: 'setosa', model: 'flowers' });
  });

  it('keeps an empty list of steps that a config must have, and leaves out defaults', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'm'));
    const model = buildModel({
      nodes: [
        buildNode('Cast', ['image'], ['numbers'], { attributes: [integerAttribute('to', FLOAT)] }),
        buildNode('Flatten', ['numbers'], ['vector']),
      ],
      inputs: [tensorValue('image', UINT8, ['n', 2, 2, 3])],
      outputs: [tensorValue('vector', FLOAT, ['n', 12])],
    });
    await writeFile(join(folder, 'm/model.onnx'), model);
    const config = { task: 'image-classification', preprocess: [], postprocess: [] };
    await writeFile(join(folder, 'm/model.json'), JSON.stringify(config));
    const { code, stderr } = await runCommand(['add', join(folder, 'm'), '-r', join(folder, 'r')]);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(await readFile(join(folder, 'r/m/1/model.json'), 'utf8'))).toEqual({
      task: 'image-classification',
      preprocess: [],
      labels: Array.from({ length: 12 }, (_, index) => index),
    });
  });

  it('names the first of many files that it publishes', async () => {
    const folder = await temporaryFolder();
    await cp(join(PROJECT, 'models/digits/1'), join(folder, 'm'), { recursive: true });
    for (let i = 0; i < 10; i++) await writeFile(join(folder, 'm', `a${i}.txt`), 'x');
    const { stdout } = await runCommand(['add', join(folder, 'm'), '-n', 'm', '-r', join(folder, 'r')]);
    expect(stdout.split('\n')[1]).toMatch(/^ {2}a0\.txt, a1\.txt, .*, a9\.txt and \d more$/);
  });

  it('takes the next version, and never an existing one', async () => {
    const repository = await temporaryFolder();
    const versions: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      const { stdout } = await runCommand([
        'add',
        join(PROJECT, 'models/digits/1'),
        '-r',
        repository,
        '--json',
      ]);
      versions.push(JSON.parse(stdout));
    }
    expect(versions).toMatchObject([
      { model: 'digits', version: '1' },
      { model: 'digits', version: '2' },
    ]);
    const again = await runCommand(['add', IRIS, '-n', 'digits', '--version', '2', '-r', repository]);
    expect([again.code, again.stderr]).toEqual([
      1,
      'Model "digits" has a version 2 already; a version never changes, so choose another --version.\n',
    ]);
    expect(await readdir(join(repository, 'digits'))).toEqual(['1', '2']);
  });

  it('does not take the number of a version that the registry has without files', async () => {
    const repository = await temporaryFolder();
    const args = ['add', IRIS, '-n', 'iris', '-r', repository, '--json'];
    await runCommand(args);
    const failed = { tags: {}, metrics: {}, source: 's3://gone/model', runId: 'r1', failure: 'It is gone.' };
    await createReleaseLog(openFilesystemStore(repository)).change(
      'iris',
      { by: 'admin', why: '', action: 'register' },
      ({ card }) => ({ card: { ...card, versions: { 2: failed } } }),
    );
    expect(JSON.parse((await runCommand(args)).stdout)).toMatchObject({ version: '3', live: '3' });
  });

  it('saves an optimised graph that answers the same', async () => {
    const repository = await temporaryFolder();
    const file = join(PROJECT, 'models/iris/2');
    const { code } = await runCommand(['add', file, '-n', 'small', '--optimize', '-r', repository]);
    expect(code).toBe(0);
    const before = JSON.parse((await runCommand(['inspect', file, '--json'])).stdout);
    const after = JSON.parse((await runCommand(['inspect', join(repository, 'small/1'), '--json'])).stdout);
    expect(after.inputs).toEqual(before.inputs);
    const original = await readFile(join(file, 'model.onnx'));
    expect((await readFile(join(repository, 'small/1/model.onnx'))).equals(original)).toBe(false);
  });

  it.each([
    [undefined, { graphOptimization: 'disabled' }, ['com.microsoft.FusedGemm']],
    ['basic', { graphOptimization: 'disabled' }, ['Gemm', 'Relu']],
    // It is faster once it is loaded, on some processors.
    ['all', { graphOptimization: 'all' }, ['com.microsoft.FusedGemm']],
    ['disabled', { graphOptimization: 'disabled' }, ['MatMul', 'Add', 'Relu']],
  ])(
    'leaves nothing to simplify at a load, with large weights in a file of their own: %s',
    async (asked, session, operators) => {
      const folder = await temporaryFolder();
      const width = 512;
      const weights = (name: string, dims: number[], value: number) =>
        floatInitializer(name, dims, Array(dims.reduce((a, b) => a * b)).fill(value));
      const model = buildModel({
        nodes: [
          buildNode('MatMul', ['x', 'w'], ['product']),
          buildNode('Add', ['product', 'b'], ['sum']),
          buildNode('Relu', ['sum'], ['y']),
        ],
        inputs: [tensorValue('x', FLOAT, ['n', width])],
        outputs: [tensorValue('y', FLOAT, ['n', width])],
        initializers: [weights('w', [width, width], 0.5), weights('b', [width], -3)],
      });
      const config = { task: 'tensor', ...(asked && { session: { graphOptimization: asked } }) };
      const source = join(folder, 'wide');
      await writeFiles(source, { 'model.onnx': model, 'model.json': JSON.stringify(config) });
      const repository = join(folder, 'repository');
      const { code, stderr } = await runCommand(['add', source, '--optimize', '-r', repository]);
      expect([code, stderr]).toEqual([0, '']);
      const version = join(repository, 'wide/1');
      expect(JSON.parse(await readFile(join(version, 'model.json'), 'utf8')).session).toEqual(session);
      const graph = await withOpenFile(join(version, 'model.onnx'), readGraph);
      expect([...graph.operators]).toEqual(operators);
      const isSaved = asked !== 'disabled';
      expect((await filesOf(version)).includes('model.onnx.data')).toBe(isSaved);
      expect(graph.externalData.map(({ location }) => location)).toEqual(
        isSaved ? ['model.onnx.data', 'model.onnx.data'] : [],
      );
      const request = JSON.stringify({ inputs: { x: [Array(width).fill(0.25)] } });
      const { stdout } = await runCommand(['--json', 'predict', version, request]);
      expect(JSON.parse(stdout).outputs.y).toEqual([Array(width).fill(61)]);
    },
  );

  it.each([[], ['--optimize']])(
    'saves a graph of a newer IR version as one that the runtime accepts %j',
    async (...options) => {
      const folder = await temporaryFolder();
      const model = buildModel({
        irVersion: 14,
        nodes: [buildNode('Relu', ['x'], ['y'])],
        inputs: [tensorValue('x', FLOAT, ['n', 2])],
        outputs: [tensorValue('y', FLOAT, ['n', 2])],
      });
      await writeFile(join(folder, 'new.onnx'), model);
      const { code, stderr } = await runCommand(['add', join(folder, 'new.onnx'), ...options, '-r', folder]);
      expect([code, stderr]).toEqual([0, '']);
      const graph = await withOpenFile(join(folder, 'new/1/model.onnx'), readGraph);
      expect([graph.irVersion, graph.operators]).toEqual([13, new Set(['Relu'])]);
    },
  );

  it('publishes no model that does not answer as its reference.json says', async () => {
    const folder = await temporaryFolder();
    const source = join(folder, 'liar');
    await cp(IRIS, source, { recursive: true });
    const reference = JSON.parse(await readFile(join(source, 'reference.json'), 'utf8'));
    reference.cases[3].expected.prediction = 'rose';
    await writeFile(join(source, 'reference.json'), JSON.stringify(reference));
    const repository = join(folder, 'repository');
    const { code, stderr } = await runCommand(['add', source, '-r', repository]);
    expect([code, stderr]).toEqual([
      1,
      'The answer of the model to case 3 of reference.json is not as expected: prediction is "setosa", expected "rose".\n',
    ]);
    expect(await readdir(repository).catch(() => [])).toEqual([]);
  });

  it('keeps the example of another format as a reference, with the row of outputs it got', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const columns = names.map((name) => ({ type: 'double', name }));
    const features = { a: 5.1, b: 3.5, c: 1.4, d: 0.2 };
    const folder = await makeFolder({
      'outliers/model.onnx': readEstimator('isolation-forest'),
      'outliers/MLmodel': [
        'flavors: { onnx: { data: model.onnx, code: null } }',
        'saved_input_example_info: { artifact_path: input_example.json, type: dataframe }',
        `signature: { inputs: '${JSON.stringify(columns)}' }`,
      ].join('\n'),
      'outliers/input_example.json': JSON.stringify([features]),
    });
    const { code, stderr } = await runCommand(['add', join(folder, 'outliers'), '-r', folder]);
    expect([code, stderr]).toEqual([0, '']);
    const reference = await readFile(join(folder, 'outliers/1/reference.json'), 'utf8');
    expect(JSON.parse(reference)).toEqual({
      cases: [{ request: { features }, expected: { label: 1, scores: 0.08013037 } }],
    });
    const again = await runCommand(['add', join(folder, 'outliers/1'), '-r', folder]);
    expect(again.stdout).toContain('it answers the 1 request of reference.json as expected');
  });

  it('keeps the answers and the name of the server before, where a model.json does not say them', async () => {
    const settings = { name: 'flowers', implementation: 'mlserver_sklearn.SKLearnModel' };
    const config = { task: 'tabular-classification', labels: ['setosa', 'versicolor', 'virginica'] };
    const folder = await makeFolder({
      'forest/model.onnx': readEstimator('forest-names'),
      'forest/model.json': JSON.stringify(config),
      'forest/model-settings.json': JSON.stringify(settings),
    });
    const { code, stdout, stderr } = await runCommand(['add', join(folder, 'forest'), '-r', folder]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('it is called flowers, as in its model-settings.json');
    const published = JSON.parse(await readFile(join(folder, 'flowers/1/model.json'), 'utf8'));
    expect(published.answers).toMatchObject({ mlflow: 'labels', 'open-inference': 'labels' });
  });

  it.each([
    [{ outputs: { similarity: [[1, 0]] } }, ''],
    [{ outputs: { similarity: [[1, 0.5]] } }, 'outputs.similarity.0.1 is 0, expected 0.5'],
    [{ outputs: { similarity: [[1]] } }, 'outputs.similarity.0 has 2 elements, expected 1'],
    [{ prediction: 1 }, 'prediction is undefined, expected 1'],
  ])('compares tensors with %j of reference.json', async (expected, difference) => {
    const source = await copyWithReference('examples/platform/models/similarity/1', {
      request: {
        inputs: {
          queries: [[2, 0]],
          documents: [
            [3, 0],
            [0, 1],
          ],
        },
      },
      expected,
    });
    expect(await addFrom(source)).toEqual(toldOf(difference));
  });

  it.each([
    ['', 0],
    ['predictions.1.top_5.stop is 0.90198', 0.5],
  ])('compares each image of a request: %j', async (difference, wrong) => {
    const signs = 'examples/image-api/models/signs/1';
    const text = await readFile(join(PROJECT, signs, 'reference.json'), 'utf8');
    const [giveWay, , , , stop] = JSON.parse(text).cases;
    const { prediction, probabilities } = stop.expected;
    const changed = { prediction, probabilities: { ...probabilities, stop: probabilities.stop + wrong } };
    const source = await copyWithReference(signs, {
      request: { instances: [giveWay.request, stop.request] },
      expected: { predictions: [giveWay.expected, changed] },
    });
    expect(await addFrom(source)).toEqual(toldOf(difference));
  });

  /** A version with one case instead of those that it has. */
  async function copyWithReference(version: string, one: object): Promise<string> {
    const source = join(await temporaryFolder(), 'changed');
    await cp(join(PROJECT, version), source, { recursive: true });
    await writeFile(join(source, 'reference.json'), JSON.stringify({ cases: [one] }));
    return source;
  }

  async function addFrom(source: string) {
    const { code, stdout, stderr } = await runCommand(['add', source, '-r', join(source, '../repository')]);
    return { code, said: code === 0 ? stdout.trim().split('\n').at(-1) : stderr };
  }

  /** What `add` says about a difference, or without one. */
  const toldOf = (difference: string) =>
    difference === ''
      ? { code: 0, said: 'it answers the 1 request of reference.json as expected' }
      : { code: 1, said: expect.stringContaining(`is not as expected: ${difference}`) };

  it('publishes a folder of another format with everything it needs', async () => {
    const repository = await temporaryFolder();
    const formats = join(PROJECT, 'test/fixtures/formats/optimum');
    const [first = ''] = (await readdir(formats, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    const { code, stderr } = await runCommand([
      'add',
      join(formats, first),
      '-n',
      'export',
      '-r',
      repository,
    ]);
    expect([code, stderr]).toEqual([0, '']);
    expect(await filesOf(repository)).toEqual(
      expect.arrayContaining(['export/1/config.json', 'export/1/model.json']),
    );
  });

  it.each([
    [['add', 'no-such-folder'], 2, /There is no file or folder "no-such-folder"/],
    [
      ['add', IRIS, '-r', 'ftp://bucket/models'],
      2,
      /"ftp:.*" must be a folder, or a URL .* s3:\/\/ or gs:\/\/ or az:\/\/\./,
    ],
    [['add', IRIS, '-n', 'x'.repeat(101), '-r', '/tmp'], 2, /have at most 100 characters/],
    [['add', IRIS, '-n', '../up', '-r', '/tmp'], 2, /--name "..\/up" must begin with a letter or digit/],
  ])('refuses %j', async (args, code, text) => {
    const outcome = await runCommand(args);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toMatch(text);
  });

  it.each([
    [['1', '2'], '3'],
    [['99999999999999999999'], '100000000000000000000'],
    [['1.2.0', '1.10.0'], '2'],
    [['latest'], '1'],
  ])('counts on after the versions %j with %s', async (versions, next) => {
    const repository = await temporaryFolder();
    for (const version of versions) {
      await cp(join(PROJECT, 'models/digits/1'), join(repository, 'digits', version), { recursive: true });
    }
    const { stdout } = await runCommand([
      'add',
      join(PROJECT, 'models/digits/1'),
      '-r',
      repository,
      '--json',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ version: next, live: next });
  });

  it('does not treat files and folders without a graph as versions, and leaves their content alone', async () => {
    const repository = await temporaryFolder();
    const model = join(repository, 'digits');
    await cp(join(PROJECT, 'models/digits/1'), join(model, '1'), { recursive: true });
    await mkdir(join(model, '2'));
    await writeFile(join(model, '3'), 'a file');
    await mkdir(join(model, '4/notes'), { recursive: true });
    await mkdir(join(model, '7/notes'), { recursive: true });
    await writeFile(join(model, '7/notes/plan.txt'), 'a plan');
    const args = ['add', join(PROJECT, 'models/digits/1'), '-r', repository];
    // Folders without files count as missing; stores in a cloud have none.
    for (const version of ['2', '4']) {
      expect(JSON.parse((await runCommand([...args, '--json'])).stdout)).toMatchObject({
        version,
        live: version,
      });
    }
    const refused = await runCommand([...args, '--version', '7']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('exists but is incomplete')]);
    expect(await readdir(model)).toEqual(['1', '2', '3', '4', '7']);
    expect(await filesOf(join(model, '7'))).toEqual(['notes/plan.txt']);
    expect(await readFile(join(model, '3'), 'utf8')).toBe('a file');
  });

  it('says that a policy excludes the new version, or cannot be read', async () => {
    const repository = await temporaryFolder();
    await cp(join(PROJECT, 'models/digits/1'), join(repository, 'digits/1'), { recursive: true });
    const policy = join(repository, 'digits/config.pbtxt');
    const add = async () => {
      const { stdout } = await runCommand([
        'add',
        join(PROJECT, 'models/digits/1'),
        '-r',
        repository,
        '--json',
      ]);
      return JSON.parse(stdout);
    };
    await writeFile(policy, 'version_policy { specific { versions: [1] } }');
    expect(await add()).toMatchObject({
      version: '2',
      live: '1',
      warnings: ['version 2 is not served: the version_policy of digits/config.pbtxt excludes it'],
    });
    await writeFile(policy, 'version_policy { latest { num_versions: 1 } }');
    expect(await add()).toMatchObject({ version: '3', live: '3', warnings: [] });
    const inspected = await runCommand(['inspect', join(repository, 'digits'), '--json']);
    expect(JSON.parse(inspected.stdout).warnings).toContain(
      'the version_policy in its config.pbtxt excludes versions 1, 2',
    );
    const leftOut = await runCommand(['inspect', 'digits/2', '-r', repository]);
    expect([leftOut.code, leftOut.stderr]).toEqual([
      1,
      expect.stringContaining('excludes it; the served versions are 3.'),
    ]);
    await writeFile(policy, 'version_policy { newest { } }');
    expect(await add()).toMatchObject({
      version: '4',
      live: null,
      warnings: [expect.stringContaining('no version of digits is served: its config.pbtxt cannot be read')],
    });
    await writeFile(policy, 'version_policy { specific { versions: [9] } }');
    const nothing = await runCommand(['inspect', join(repository, 'digits')]);
    expect([nothing.code, nothing.stderr]).toEqual([
      1,
      expect.stringContaining('names version 9, which does not exist'),
    ]);
  });

  it('says that the config.pbtxt beside a version counts only with the folder of the model', async () => {
    const folder = join(await temporaryFolder(), 'vad');
    await mkdir(join(folder, '1'), { recursive: true });
    await writeFile(join(folder, '1/model.onnx'), identityModel(FLOAT, ['n', 2]));
    await writeFile(join(folder, 'config.pbtxt'), 'sequence_batching { state { input_name: "h" } }');
    const warning =
      'the config.pbtxt beside its versions is ignored, because only one version was named: name the folder "vad" to use it';
    for (const path of [join(folder, '1'), join(folder, '1/model.onnx')]) {
      const { stdout } = await runCommand(['inspect', path, '--json']);
      expect(JSON.parse(stdout).warnings).toContain(warning);
    }
    const args = ['add', '-r', join(await temporaryFolder(), 'models'), '--json'];
    expect(JSON.parse((await runCommand([...args, join(folder, '1')])).stdout).warnings).toContain(warning);
    const whole = await runCommand([...args, folder]);
    expect([whole.code, whole.stderr + whole.stdout]).toEqual([
      1,
      expect.stringContaining('fill the states \\"h\\" (sequence_batching)'),
    ]);
  });

  it('treats two spellings of a version as one, and says which stays live', async () => {
    const repository = await temporaryFolder();
    await cp(join(PROJECT, 'models/digits/1'), join(repository, 'digits/10'), { recursive: true });
    const add = (version: string) =>
      runCommand(['add', join(PROJECT, 'models/digits/1'), '-r', repository, '--version', version]);
    expect((await add('v10')).stderr).toMatch(/has a version 10 already, which is the same as v10/);
    expect((await add('2')).stdout).toMatch(/\nversion 10 stays live: it is higher\n$/);
  });

  it('gives each of several publishers at the same time a different version', async () => {
    const repository = await temporaryFolder();
    const args = ['add', join(PROJECT, 'models/iris/2'), '-n', 'iris', '-r', repository, '--json'];
    const added = await Promise.all([runCommand(args), runCommand(args), runCommand(args)]);
    const versions = added.map(({ stdout }) => JSON.parse(stdout).version);
    expect(versions.sort()).toEqual(['1', '2', '3']);
    const same = await Promise.all([1, 2, 3].map(() => runCommand([...args, '--version', '7'])));
    expect(same.map(({ code }) => code).sort()).toEqual([0, 1, 1]);
    expect(same.map(({ stderr }) => stderr.includes('has a version 7 already')).sort()).toEqual([
      false,
      true,
      true,
    ]);
    expect((await readdir(join(repository, 'iris'))).sort()).toEqual(['1', '2', '3', '7']);
  });

  it('shows no half version when it is killed at any moment', async () => {
    const [repository, temporary] = [await temporaryFolder(), await temporaryFolder()];
    const args = ['add', join(PROJECT, 'models/iris/2'), '-n', 'iris', '-r', repository];
    const environment = { TMPDIR: temporary };
    for (const ms of [150, 200, 250, 300, 350]) {
      const { process: child, outcome } = startCommand(args, '', environment);
      await wait(ms);
      child.kill('SIGKILL');
      await outcome;
    }
    for (const version of await readdir(join(repository, 'iris')).catch(() => [])) {
      // A store does not list hidden files; the next write removes them.
      const files = await filesOf(join(repository, 'iris', version));
      const listed = files.filter((path) => !path.startsWith('.'));
      if (listed.length > 0) expect(listed).toContain('files.json');
    }
    expect((await startCommand(args, '', environment).outcome).code).toBe(0);
    // The files of the killed commands are also gone.
    expect(await readdir(temporary)).toEqual([]);
  });

  describe.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('after %s', (signal) => {
    /** Sends the signal to a command that is publishing, and returns what is left of its temporary files. */
    async function interrupt(path: string): Promise<readonly string[]> {
      const [repository, temporary] = [await temporaryFolder(), await temporaryFolder()];
      // The lock of a running process keeps the command waiting.
      const lock = join(repository, 'iris/1/.files.json.ternion-lock');
      await mkdir(lock, { recursive: true });
      await writeFile(join(lock, ownName()), '');
      const args = ['add', path, '-n', 'iris', '-r', repository];
      const { process: child, outcome } = startCommand(args, '', { TMPDIR: temporary });
      onTestFinished(() => void child.kill('SIGKILL'));
      await vi.waitFor(async () => expect((await filesOf(temporary)).join()).toContain('files.json'), {
        timeout: 20_000,
      });
      child.kill(signal);
      expect((await outcome).stdout).toBe('');
      expect(child.signalCode).toBe(signal);
      return await filesOf(temporary);
    }

    it('leaves nothing in TMPDIR', async () => {
      expect(await interrupt(join(PROJECT, 'models/iris/2'))).toEqual([]);
    });

    it('ends although it has two temporary folders, as for an archive', async () => {
      const archive = join(await temporaryFolder(), 'iris.tar.gz');
      await create({ file: archive, gzip: true, cwd: join(PROJECT, 'models/iris/2') }, ['.']);
      expect(await interrupt(archive)).toEqual([]);
    });
  });

  it.each(['/proc/ternion', '/dev/null/ternion'])('says that %s cannot be written', async (repository) => {
    const args = ['add', join(PROJECT, 'models/iris/2'), '-n', 'iris', '-r', repository];
    const { code, stderr } = await runCommand(args);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^\/.*iris\/1\/\S+ cannot be written.*\.\n$/)]);
  });

  it.each([
    ['a snapshot', 'models--iris/snapshots/0a1b', ''],
    ['the graph in one', 'models--iris/snapshots/0a1b', 'model.onnx'],
  ])('follows the links of the cache of Hugging Face: %s', async (_, snapshot, file) => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, snapshot), { recursive: true });
    await cp(IRIS, join(folder, 'models--iris/blobs'), { recursive: true });
    for (const name of await readdir(IRIS))
      await symlink(`../../blobs/${name}`, join(folder, snapshot, name));
    const { code, stderr } = await runCommand([
      'add',
      join(folder, snapshot, file),
      '-n',
      'iris',
      '-r',
      folder,
    ]);
    expect([code, stderr]).toEqual([0, '']);
    expect(await filesOf(join(folder, 'iris/1'))).toContain('model.onnx');
    expect((await readFile(join(folder, 'iris/1/reference.json'))).length).toBeGreaterThan(1000);
  });

  it('follows links to files in the folder itself', async () => {
    const folder = await temporaryFolder();
    await cp(IRIS, join(folder, 'iris/.data'), { recursive: true });
    for (const name of await readdir(IRIS)) await symlink(`.data/${name}`, join(folder, 'iris', name));
    const { code, stderr } = await runCommand(['add', join(folder, 'iris'), '-r', join(folder, 'r')]);
    expect([code, stderr]).toEqual([0, '']);
    expect((await readFile(join(folder, 'r/iris/1/reference.json'))).length).toBeGreaterThan(1000);
  });

  describe.each(['add', 'inspect', 'predict'])('%s refuses by name', (command) => {
    async function refused(names: readonly string[], make: (folder: string) => Promise<unknown>, file = '') {
      const folder = await temporaryFolder();
      await cp(IRIS, join(folder, 'iris'), { recursive: true });
      await writeFile(join(folder, 'outside.txt'), 'secret');
      await make(join(folder, 'iris'));
      const rest = { add: ['-n', 'x', '-r', join(folder, 'r')], predict: [SETOSA] }[command] ?? [];
      const { code, stdout, stderr } = await runCommand([command, join(folder, 'iris', file), ...rest]);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^The folder ".*\/iris" cannot be used as a model: .*\n$/);
      for (const name of names) expect(stderr).toContain(name);
      expect(await filesOf(join(folder, 'r')).catch(() => [])).toEqual([]);
    }

    it.each(['labels.txt', 'model.json', 'model.onnx'])('a link out of the folder: %s', async (name) => {
      await refused([`${name} is a link that leads outside the folder, to "`], async (folder) => {
        await rm(join(folder, name), { force: true });
        await cp(join(IRIS, 'model.onnx'), join(folder, '../model.onnx'));
        const target = name === 'labels.txt' ? 'outside.txt' : 'model.onnx';
        await symlink(join('..', target), join(folder, name));
      });
    });

    it('a link beside the graph that is named', async () => {
      const make = async (folder: string) => await symlink('../outside.txt', join(folder, 'labels.txt'));
      await refused(['labels.txt is a link that leads outside the folder, to "'], make, 'model.onnx');
    });

    it('links through folders, to nothing and to devices, and pipes', async () => {
      const names = [
        'a is a link that leads outside the folder, to "',
        'b is a link that cannot be followed (ENOENT)',
        'c is a link that leads outside the folder, to "/dev/zero"',
        'd is a pipe, not a file',
      ];
      await refused(names, async (folder) => {
        await symlink('..', join(folder, 'a'));
        await symlink('nowhere', join(folder, 'b'));
        await symlink('/dev/zero', join(folder, 'c'));
        spawnSync('mkfifo', [join(folder, 'd')]);
      });
    });

    it('a link to blobs that are not those of the cache', async () => {
      const folder = await temporaryFolder();
      const snapshot = join(folder, 'models--iris/snapshots/0a1b');
      await cp(IRIS, snapshot, { recursive: true });
      await mkdir(join(folder, 'elsewhere'));
      await writeFile(join(folder, 'elsewhere/secret'), 'secret');
      await symlink('../elsewhere', join(folder, 'models--iris/blobs'));
      await symlink('../../blobs/secret', join(snapshot, 'labels.txt'));
      const rest = { add: ['-n', 'x', '-r', join(folder, 'r')], predict: [SETOSA] }[command] ?? [];
      expect(await runCommand([command, snapshot, ...rest])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /labels\.txt is a link that leads outside the folder, to ".*elsewhere\/secret"/,
        ),
      });
    });
  });

  it('publishes the files beside a model.onnx, but no other graphs and folders', async () => {
    const folder = await temporaryFolder();
    await cp(join(PROJECT, 'models/iris/2'), folder, { recursive: true });
    await writeFile(join(folder, 'other.onnx'), 'x');
    await mkdir(join(folder, 'photos'));
    await writeFile(join(folder, 'photos/a.jpg'), 'x');
    await runCommand(['add', join(folder, 'model.onnx'), '-n', 'iris', '-r', join(folder, 'r')]);
    expect(await filesOf(join(folder, 'r/iris/1'))).toEqual([
      'files.json',
      'model.json',
      'model.onnx',
      'reference.json',
    ]);
  });

  it('leaves no files when it fails', async () => {
    const repository = await temporaryFolder();
    await mkdir(join(repository, 'broken'));
    await writeFile(join(repository, 'broken/model.onnx'), 'not a model');
    const { code } = await runCommand([
      'add',
      join(repository, 'broken'),
      '-n',
      'x',
      '-r',
      join(repository, 'r'),
    ]);
    expect(code).toBe(1);
    expect(await readdir(repository)).toEqual(['broken']);
  });
});

describe('a model that does not answer its test request', () => {
  /** Divides whole numbers by those of another input, which must not be 0. */
  const quotient = buildModel({
    nodes: [buildNode('Div', ['a', 'b'], ['y'])],
    inputs: [tensorValue('a', INT64, [1]), tensorValue('b', INT64, [1])],
    outputs: [tensorValue('y', INT64, [1])],
  });

  it('is published only with --force, with the warnings of inspect', async () => {
    const [folder, repository] = [await temporaryFolder(), join(await temporaryFolder(), 'models')];
    await writeFile(join(folder, 'model.onnx'), quotient);
    const args = ['add', folder, '--name', 'quotient', '-r', repository];
    const refused = await runCommand(args);
    expect([refused.code, refused.stdout, refused.stderr]).toEqual([
      1,
      '',
      `${folder} does not answer the test request that was made for it: The model cannot compute with these inputs: their values or sizes do not fit together.\n  Put a request that it answers into a reference.json beside it, or publish it as it is with --force.\n`,
    ]);
    await expect(readdir(repository)).rejects.toThrow('ENOENT');
    const forced = await runCommand([...args, '--force']);
    expect(forced.code).toBe(0);
    expect(forced.stdout.split('\n').slice(2)).toEqual([
      'it does not answer the test request that was made for it: The model cannot compute with these inputs: their values or sizes do not fit together.',
      'warning: nothing says what its tensors mean, so clients send and get tensors; a model.json can name a task',
      '',
    ]);
    const json = JSON.parse((await runCommand([...args, '--force', '--json'])).stdout);
    expect(json).toMatchObject({
      version: '2',
      tried: 0,
      problem: expect.any(String),
      warnings: [expect.any(String)],
    });
  });

  it('is tried with zeros if its inputs are too large for JSON', async () => {
    const [folder, repository] = [await temporaryFolder(), join(await temporaryFolder(), 'models')];
    await writeFile(join(folder, 'model.onnx'), identityModel(FLOAT, [1, 3, 128, 128]));
    const { code, stdout } = await runCommand(['add', folder, '--name', 'large', '-r', repository]);
    expect([code, stdout.split('\n')[2]]).toEqual([0, 'it answers inputs of zeros']);
  });
});
