import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hasFields } from '../../../shared/playground/forms/feature-form.ts';
import { parseDescription } from '../../../shared/playground/model-description.ts';
import { get, post } from '../../contracts/exchanges.ts';
import {
  BOOL,
  buildModel,
  buildNode,
  FLOAT,
  integerAttribute,
  STRING,
  tensorValue,
} from '../../support/build-model.ts';
import { openApp } from '../../support/hosts/in-process.ts';
import { PROJECT } from '../../support/project.ts';
import { makeFolder } from '../../support/temporary-folder.ts';
import { describeRoutes } from './describe-routes.ts';

const EXPORTS = join(PROJECT, 'test/fixtures/formats/tabular');
const readExport = (name: string) => readFileSync(join(EXPORTS, name, 'model.onnx'));

const regression = JSON.stringify({ task: 'tabular-regression' });

const FILES = {
  // Its inputs are area, rooms, city and garden, the last two of strings; the config has them in another order.
  'flats/1/model.onnx': readExport('sklearn-columns'),
  'flats/1/model.json': JSON.stringify({
    task: 'tabular-classification',
    labels: ['cheap', 'dear'],
    features: ['rooms', 'garden', 'city', 'area'].map((name) => ({ name })),
  }),
  'groups/1/model.onnx': buildModel({
    nodes: [buildNode('Concat', ['a', 'b'], ['y'], { attributes: [integerAttribute('axis', 1)] })],
    inputs: [tensorValue('a', FLOAT, ['n', 2]), tensorValue('b', FLOAT, ['n', 3])],
    outputs: [tensorValue('y', FLOAT, ['n', 5])],
  }),
  'groups/1/model.json': regression,
  'kinds/1/model.onnx': buildModel({
    nodes: [buildNode('Identity', ['a'], ['y']), buildNode('Identity', ['b'], ['z'])],
    inputs: [tensorValue('a', FLOAT, ['n', 2]), tensorValue('b', STRING, ['n', 1])],
    outputs: [tensorValue('y', FLOAT, ['n', 2]), tensorValue('z', STRING, ['n', 1])],
  }),
  'kinds/1/model.json': JSON.stringify({ task: 'tabular-regression', output: 'y' }),
  'flags/1/model.onnx': buildModel({
    nodes: [buildNode('Cast', ['x'], ['y'], { attributes: [integerAttribute('to', FLOAT)] })],
    inputs: [tensorValue('x', BOOL, ['n', 2])],
    outputs: [tensorValue('y', FLOAT, ['n', 2])],
  }),
  'flags/1/model.json': regression,
  'missing/1/model.onnx': readExport('lightgbm-missing'),
};

async function open() {
  const host = openApp({ MODEL_REPOSITORY: await makeFolder(FILES) });
  onTestFinished(() => host.close());
  const describeModel = async (name: string) => {
    const { body } = await host.send(get(`/models/${name}`));
    return parseDescription(JSON.parse(body.toString()));
  };
  return { host, describeModel, ...(await describeRoutes(host)) };
}

const flat = { rooms: 3, garden: 'yes', city: 'Berlin', area: 50 };

describe('the route of a tabular model', () => {
  it.each<[string, unknown, boolean]>([
    ['flats', flat, true],
    ['flats', [3, 'yes', 'Berlin', 50], true],
    ['flats', ['yes', 3, 50, 'Berlin'], false],
    ['flats', { ...flat, area: '50' }, false],
    ['flats', { ...flat, city: 10115 }, false],
    ['groups', [1, 2, 3, 4, 5], true],
    ['groups', [1, 2], false],
    ['groups', [1, 2, 3, 4, null], false],
    ['kinds', [1, 2, 'x'], true],
    ['kinds', ['x', 1, 2], false],
    ['kinds', [1, 2], false],
    ['flags', [true, 0], true],
    ['flags', [2, 0], false],
    ['missing', [null, 1, null, 2], true],
    ['missing', ['1', 1, null, 2], false],
  ])('of %s takes as a row what is answered: %j', async (name, features, isGood) => {
    const { isTaken, isAnswered } = await open();
    const path = `/models/${name}/predict`;
    expect([isTaken(path, { features }), await isAnswered(path, { features })]).toEqual([isGood, isGood]);
  });
});

describe('the description of a tabular model', () => {
  it('has the types of features that the config leaves to the graph', async () => {
    const { host } = await open();
    const { body } = await host.send(get('/models/flats'));
    expect(JSON.parse(body.toString())).toMatchObject({
      features: [
        { name: 'rooms', type: 'number' },
        { name: 'garden', type: 'string' },
        { name: 'city', type: 'string' },
        { name: 'area', type: 'number' },
      ],
      columns: [
        { type: 'number', count: 1 },
        { type: 'string', count: 2 },
        { type: 'number', count: 1 },
      ],
    });
  });

  it.each([
    ['groups', [{ isText: false, isNullable: false, count: 5 }]],
    ['missing', [{ isText: false, isNullable: true, count: 4 }]],
    [
      'kinds',
      [
        { isText: false, isNullable: false, count: 2 },
        { isText: true, isNullable: false, count: 1 },
      ],
    ],
  ])('of %s has all columns, for a field each', async (name, columns) => {
    const model = await (await open()).describeModel(name);
    expect(model.columns).toEqual(columns);
    expect(hasFields(model)).toBe(true);
  });
});

describe('a column of strings whose type only the graph knows', () => {
  it('keeps digits as they are', async () => {
    const { host } = await open();
    const table = { rooms: ['3'], garden: ['1'], city: ['10115'], area: ['50'] };
    const answers = await Promise.all([
      host.send(
        post('/models/flats/predict', { features: { rooms: 3, garden: '1', city: '10115', area: 50 } }),
      ),
      host.send(post('/hf/flats', { table })),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });
});
