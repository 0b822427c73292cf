import { describe, expect, it } from 'vitest';
import { locateModel } from '../../../../shared/models/formats/locate.ts';
import { folderOf, reasonOf } from './make-folder-view.ts';

const MODEL_JSON = { task: 'tensor' };
const folder = (files: readonly string[], shared: Readonly<Record<string, string>> = {}) =>
  folderOf(Object.fromEntries(files.map((file) => [file, ''])), shared);

describe('the graph of a folder', () => {
  it.each([
    ['of Optimum', ['config.json', 'model_quantized.onnx'], 'model_quantized.onnx'],
    ['of Transformers.js', ['config.json', 'onnx/model_q4f16.onnx'], 'onnx/model_q4f16.onnx'],
    [
      'of sentence-transformers',
      ['onnx/model_qint8_avx512_vnni.onnx', 'openvino/openvino_model.xml'],
      'onnx/model_qint8_avx512_vnni.onnx',
    ],
    ['of Windows', ['MODEL.ONNX'], 'MODEL.ONNX'],
    ['of a Mac', ['._a.onnx', 'onnx/._b.onnx', 'c.onnx'], 'c.onnx'],
    [
      'with weights next to it',
      ['model_q4.onnx', 'model_q4.onnx_data', 'model_q4.onnx.data'],
      'model_q4.onnx',
    ],
    ['with others in deeper folders', ['a.onnx', 'old/b.onnx', 'onnx/old/c.onnx'], 'a.onnx'],
    ['with the usual one', ['onnx/model.onnx', 'onnx/model_q4.onnx', 'a.onnx'], 'onnx/model.onnx'],
  ])('is the only one, or that of the usual name: %s', async (_, files, expected) => {
    expect(await locateModel(folder(files))).toBe(expected);
  });

  it.each([
    [
      ['onnx/model_q4.onnx', 'onnx/model_fp16.onnx'],
      'onnx/model_fp16.onnx, onnx/model_q4.onnx',
      'onnx/model_fp16.onnx',
    ],
    [
      ['encoder_model.onnx', 'decoder_model.onnx'],
      'decoder_model.onnx, encoder_model.onnx',
      'decoder_model.onnx',
    ],
    [['model_int8.onnx', 'onnx/model_int8.onnx'], 'model_int8.onnx, onnx/model_int8.onnx', 'model_int8.onnx'],
  ])('is chosen where there are several: %j', async (files, names, first) => {
    expect(await reasonOf(locateModel(folder(files)))).toBe(
      `it has several graphs: ${names}; choose one with "file" in its model.json, or with ternion add --file ${first}`,
    );
    for (const file of files) expect(await locateModel(folder(files), { ...MODEL_JSON, file })).toBe(file);
  });

  it('is the one that a model.json names', async () => {
    const files = folder(['model.onnx', 'onnx/model_q4.onnx', 'graphs/a.onnx']);
    for (const file of ['onnx/model_q4.onnx', 'graphs/a.onnx']) {
      expect(await locateModel(files, { ...MODEL_JSON, file })).toBe(file);
    }
    expect(await locateModel(files, MODEL_JSON)).toBe('model.onnx');
    for (const file of ['gone.onnx', '../model.onnx']) {
      expect(await reasonOf(locateModel(files, { ...MODEL_JSON, file }))).toBe(
        `its model.json names the file "${file}", which does not exist`,
      );
    }
  });

  it('is the one that a config.pbtxt names, if there is no model.json', async () => {
    const files = ['model.onnx', 'net.onnx'];
    const shared = { 'config.pbtxt': 'backend: "onnxruntime" default_model_filename: "net.onnx"' };
    expect(await locateModel(folder(files, shared))).toBe('net.onnx');
    expect(await locateModel(folder(files, shared), MODEL_JSON)).toBe('model.onnx');
    expect(await reasonOf(locateModel(folder(['model.onnx'], shared)))).toBe(
      'its config.pbtxt names the file "net.onnx", which does not exist',
    );
    expect(await locateModel(folder(files, { 'config.pbtxt': 'default_model_filename: ""' }))).toBe(
      'model.onnx',
    );
  });
});
