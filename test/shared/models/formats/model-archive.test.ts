import { describe, expect, it } from 'vitest';
import { locateModel } from '../../../../shared/models/formats/locate.ts';
import { FLOAT, identityModel } from '../../../support/build-model.ts';
import { inferOutput, serve, tensorsInput } from '../../../support/make-inference.ts';
import { folderOf, reasonOf } from './make-folder-view.ts';

const MANIFEST = 'MAR-INF/MANIFEST.json';
const manifest = (serializedFile: unknown) => ({
  createdOn: '01/01/2026 00:00:00',
  model: { modelName: 'net', serializedFile, handler: 'image_classifier', modelVersion: '1.0' },
  archiverVersion: '0.12.0',
});

describe('an unpacked model archive', () => {
  it('names the file of its graph', async () => {
    const folder = folderOf({ [MANIFEST]: manifest('net.onnx'), 'net.onnx': '' });
    expect(await locateModel(folder)).toBe('net.onnx');
    const inference = await serve({
      [MANIFEST]: JSON.stringify(manifest('net.onnx')),
      'net.onnx': identityModel(FLOAT, ['n']),
    });
    expect(await inferOutput(inference, tensorsInput([1, 2]))).toMatchObject({ kind: 'tensors' });
  });

  it('is read only if there is no model.onnx', async () => {
    const folder = folderOf({ [MANIFEST]: manifest('net.onnx'), 'model.onnx': '' });
    expect(await locateModel(folder)).toBe('model.onnx');
  });

  it.each([
    ['net.pt', 'its MAR-INF/MANIFEST.json names the model "net.pt"; only ONNX files can be served'],
    ['gone.onnx', 'its MAR-INF/MANIFEST.json names the file "gone.onnx", which does not exist'],
    ['../net.onnx', 'its MAR-INF/MANIFEST.json names the file "../net.onnx", which does not exist'],
    [5, 'its MAR-INF/MANIFEST.json is not valid (model.serializedFile: the number 5; expected a string)'],
  ])('is refused with the model %j', async (file, reason) => {
    expect(await reasonOf(locateModel(folderOf({ [MANIFEST]: manifest(file), 'net.onnx': '' })))).toBe(
      reason,
    );
  });
});
