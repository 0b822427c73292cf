import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsOf } from '../../../../docs/site/markdown.ts';
import {
  FOREIGN_KINDS,
  type ForeignFile,
  kindOfName,
} from '../../../../functions/cli/foreign/foreign-kinds.ts';
import { PROJECT } from '../../../support/project.ts';

describe('the name of a file that is given instead of a graph', () => {
  it.each<[string, ForeignFile | undefined]>([
    ['model.pt', 'torch'],
    ['weights.PTH', 'torch'],
    ['last.ckpt', 'torch'],
    ['pytorch_model.bin', 'torch'],
    ['model.pt2', 'torchExport'],
    ['mobile.ptl', 'torchScript'],
    ['forest.pkl', 'pickle'],
    ['forest.joblib', 'pickle'],
    ['forest.sav', 'pickle'],
    ['booster.ubj', 'xgboost'],
    ['cat.cbm', 'catboost'],
    ['net.keras', 'keras'],
    ['model.weights.h5', 'hdf5'],
    ['net.hdf5', 'hdf5'],
    ['exports/net/saved_model.pb', 'savedModel'],
    ['frozen.pb', 'frozenGraph'],
    ['net.tflite', 'tflite'],
    ['inference.pdmodel', 'paddle'],
    ['net.mlmodel', 'coreMl'],
    ['tree.pmml', 'pmml'],
    ['model.safetensors', 'safetensors'],
    ['llama.Q4_K_M.gguf', 'gguf'],
    ['model.ort', 'ort'],
    ['model.plan', 'tensorRt'],
    ['densenet.mar', 'torchServe'],
    ['arrays.npz', 'numpy'],
    ['model.onnx', undefined],
    ['model.json', undefined],
    ['notes.txt', undefined],
    ['pt', undefined],
  ])('%s says that it is: %s', (name, kind) => {
    expect(kindOfName(name)).toBe(kind);
  });
});

describe('the advice on each kind', () => {
  const anchors = anchorsOf(readFileSync(join(PROJECT, 'docs/models.md'), 'utf8'));

  it.each(Object.entries(FOREIGN_KINDS))('of %s is the rest of a sentence', (_, { title, advice }) => {
    expect(title).toMatch(/^an? /);
    const text = advice('exports/a b.x');
    expect(text).not.toMatch(/[.;]$/);
    const sections = [...text.matchAll(/docs\/models\.md#([\w-]+)/g)].map(([, anchor]) => anchor);
    expect(sections.filter((anchor) => !anchors.includes(anchor ?? ''))).toEqual([]);
  });
});
