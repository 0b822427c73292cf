import { expect, test } from 'vitest';
import { describeVersions, findVersions } from '../../../../functions/cli/deploy/find-versions.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';

test('versions are those folders of models that hold a graph, from low to high', async () => {
  const folder = await makeFolder({
    'zebra/10/model.onnx': '',
    'zebra/9/onnx/model_q4.onnx': '',
    'zebra/latest/model.onnx': '',
    'zebra/notes/readme.txt': '',
    'zebra/model.onnx': '',
    'ant/1.2.0/model.onnx': '',
    'model.onnx': '',
  });
  expect(describeVersions(findVersions(folder))).toBe('ant 1.2.0; zebra latest, 9, 10');
});

test('a folder without any has no versions', async () => {
  expect(findVersions(await makeFolder({ 'houses/model.onnx': '' })).size).toBe(0);
});
