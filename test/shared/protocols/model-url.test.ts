import { expect, it, onTestFinished } from 'vitest';
import { get } from '../../contracts/exchanges.ts';
import { ask } from '../../support/ask.ts';
import { readFormatFolder } from '../../support/format-folders.ts';
import { openApp } from '../../support/hosts/in-process.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

const below = (folder: string, files: Readonly<Record<string, string | Uint8Array>>) =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content]));

const FILES = {
  ...below('sentences/1', readFormatFolder('optimum/sentence-mean')),
  'broken/1/MLmodel': 'flavors: {onnx: {}}\n',
};

it('is where the graph of a model is, or its folder without a graph', async () => {
  const app = openApp({ MODEL_REPOSITORY: await makeFolder(FILES) });
  onTestFinished(() => app.close());
  const listed = await ask(app, get('/models'));
  expect(listed.json.models).toMatchObject([
    { name: 'broken', modelUrl: 'broken/1' },
    { name: 'sentences', task: 'feature-extraction', modelUrl: 'sentences/1/onnx/model.onnx' },
  ]);
  expect((await ask(app, get('/health'))).json.models).toMatchObject([{ state: 'idle' }, { state: 'idle' }]);
  for (const path of ['/models/sentences', '/models/sentences/versions/1']) {
    expect((await ask(app, get(path))).json.modelUrl).toBe('sentences/1/onnx/model.onnx');
  }
  const versions = await ask(app, get('/models/sentences/all'));
  expect(versions.json).toMatchObject([{ modelUrl: 'sentences/1/onnx/model.onnx' }]);
});
