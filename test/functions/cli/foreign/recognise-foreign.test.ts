import { spawnSync } from 'node:child_process';
import { deflateSync, gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import type { ForeignFile } from '../../../../functions/cli/foreign/foreign-kinds.ts';
import { recogniseForeignFile } from '../../../../functions/cli/foreign/recognise-foreign.ts';
import { bytesSource, encodeField, encodeVarintField } from '../../../../shared/onnx/protobuf.ts';
import { buildModel, FLOAT, identityModel, join, tensorValue, text } from '../../../support/build-model.ts';

const latin1 = (content: string) => Buffer.from(content, 'latin1');
const zip = (...names: string[]) =>
  zipSync(Object.fromEntries(names.map((name) => [name, new Uint8Array(300)])));
/** A pickle of a protocol, with the name of a class as `pickle.dumps` writes it. */
const pickle = (protocol: number, module: string) =>
  latin1(`\x80${String.fromCharCode(protocol)}\x95\x10\0\0\0\0\0\0\0\x8c\x18${module}\x94\x8c\x05Model\x94`);

/** Starts and ends of files as the packages write them, checked against real files. */
const FILES: readonly (readonly [string, ForeignFile, Uint8Array])[] = [
  [
    'a Git LFS pointer',
    'lfs',
    latin1('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n'),
  ],
  ['a page', 'webPage', latin1('<!DOCTYPE html><html>')],
  ['another page', 'webPage', latin1('  <html>')],
  [
    'a pickle, protocol 2',
    'sklearn',
    latin1('\x80\x02csklearn.ensemble._forest\nRandomForestClassifier\nq\0'),
  ],
  ['a pickle, protocol 5', 'sklearn', pickle(5, 'sklearn.ensemble._forest')],
  [
    'a pickle, protocol 0',
    'sklearn',
    latin1('ccopy_reg\n_reconstructor\np0\n(csklearn.svm._classes\nSVC\np1\n'),
  ],
  ['a pickled XGBoost', 'xgboostPickle', pickle(4, 'xgboost.sklearn')],
  ['a pickled LightGBM', 'lightgbmPickle', pickle(4, 'lightgbm.sklearn')],
  ['a pickled CatBoost', 'catboostPickle', pickle(4, 'catboost.core')],
  ['a pickled module', 'torch', latin1('\x80\x02ctorch.nn.modules.container\nSequential\n')],
  ['another pickle', 'pickle', pickle(4, 'builtins')],
  ['an old file of torch', 'torch', latin1('\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02')],
  ['weights of torch', 'torch', zip('m/data.pkl', 'm/data/0', 'm/version')],
  ['TorchScript', 'torchScript', zip('m/data.pkl', 'm/code/__torch__.py', 'm/constants.pkl')],
  ['an exported program', 'torchExport', zip('ep/archive_format', 'ep/models/model.json')],
  ['Keras 3', 'keras', zip('metadata.json', 'config.json', 'model.weights.h5')],
  ['HDF5', 'hdf5', latin1('\x89HDF\r\n\x1a\n\0\0')],
  ['an archive of TorchServe', 'torchServe', zip('MAR-INF/MANIFEST.json', 'weights.pt')],
  ['arrays', 'numpy', zip('a.npy', 'b.npy')],
  ['a zip', 'zip', zip('readme.txt')],
  ['XGBoost as JSON', 'xgboost', latin1('{"learner":{"attributes":{}},"version":[3,2,0]}')],
  ['XGBoost as JSON with its version first', 'xgboost', latin1('{"version":[3,2,0],"learner":{}}')],
  ['XGBoost as UBJSON', 'xgboost', latin1('{L\0\0\0\0\0\0\0\x07learner{L\0\0')],
  ['LightGBM', 'lightgbm', latin1('tree\nversion=v4\nnum_class=3\n')],
  ['CatBoost', 'catboost', latin1('CBM1\x90\x01\0\0')],
  ['CatBoost as JSON', 'catboost', latin1('{\n"features_info": {},\n"oblivious_trees": []}')],
  ['TensorFlow Lite', 'tflite', latin1('\x1c\0\0\0TFL3\x14\0')],
  ['TensorFlow.js', 'tensorFlowJs', latin1('{"format": "layers-model", "generatedBy": "keras"}')],
  [
    'a SavedModel',
    'savedModel',
    join([encodeVarintField(1, 1), encodeField(2, text('serve StatefulPartitionedCall saver_def'))]),
  ],
  ['a frozen graph', 'frozenGraph', encodeField(1, text('\n\x01x\x12\x0bPlaceholder'))],
  [
    'Core ML',
    'coreMl',
    join([encodeVarintField(1, 4), encodeField(2, text('d')), encodeField(402, text('t'))]),
  ],
  ['OpenVINO', 'openVino', latin1('<?xml version="1.0"?>\n<net name="m" version="11">')],
  ['PMML', 'pmml', latin1('<?xml version="1.0" encoding="UTF-8"?>\n<PMML version="4.4">')],
  ['safetensors', 'safetensors', latin1('\x40\0\0\0\0\0\0\0{"weight":{"dtype":"F32"')],
  ['GGUF', 'gguf', latin1('GGUF\x03\0\0\0')],
  ['the ORT format', 'ort', latin1('\x24\0\0\0ORTM\0\0')],
  ['TensorRT', 'tensorRt', latin1('ftrt\0\0')],
  ['gzip', 'compressed', gzipSync('x')],
  ['zlib, as joblib compresses', 'compressed', deflateSync('x', { level: 3 })],
  ['tar', 'compressed', latin1(`${'m'.padEnd(257, '\0')}ustar\0`)],
  ['our own model.json', 'config', latin1('{\n  "task": "tensor"\n}')],
];

describe('a file that is given instead of a graph', () => {
  it.each(FILES)('is known by its content: %s', (_, kind, content) => {
    expect(recogniseForeignFile(bytesSource(content))).toBe(kind);
  });

  it.each<[string, Uint8Array]>([
    ['an ONNX model', identityModel(FLOAT, ['n', 4])],
    ['one without outputs', buildModel({ nodes: [], inputs: [tensorValue('x', FLOAT, [1])], outputs: [] })],
    ['text', latin1('hello there')],
    ['JSON of something else', latin1('{"model_type": "bert"}')],
    ['nothing', new Uint8Array()],
    ['noise', Uint8Array.from({ length: 1000 }, (_, index) => (index * 7919) % 251)],
  ])('is not known: %s', (_, content) => {
    expect(recogniseForeignFile(bytesSource(content))).toBeUndefined();
  });

  it('is read field by field, however many it has', () => {
    const [recogniser, protobuf] = [
      '../../../../functions/cli/foreign/recognise-foreign.ts',
      '../../../../shared/onnx/protobuf.ts',
    ].map((path) => new URL(path, import.meta.url).href);
    // Ten million fields with the numbers 1 and 31, which no file of a framework has.
    const script = `
      import { recogniseForeignFile } from ${JSON.stringify(recogniser)};
      import { bytesSource } from ${JSON.stringify(protobuf)};
      const bytes = Buffer.alloc(25_000_000, Uint8Array.of(0x08, 0, 0xf8, 1, 0));
      console.log(recogniseForeignFile(bytesSource(bytes)));`;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--max-old-space-size=64', '--input-type=module', '-e', script],
      { encoding: 'utf8' },
    );
    expect([stdout, stderr]).toEqual(['undefined\n', '']);
  });
});
