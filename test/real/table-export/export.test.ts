import { execFile } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { PROJECT } from '../../support/project.ts';
import { makeFolder } from '../../support/temporary-folder.ts';
import { describeExports, describeWalks } from '../describe-exports.ts';
import { folderOf } from '../installation.ts';
import { counterpart } from './counterpart.ts';

describeExports(
  counterpart,
  ['models.py'],
  [
    'forest',
    'forest-of-numbers',
    'array',
    'scaled',
    'columns',
    'columns-xgboost',
    'columns-lightgbm',
    'search',
    'columns-xgboost-regressor',
    'boosted',
    'several',
    'outliers',
    'outliers-scaled',
    'clusters',
    'machine',
    'projection',
    'several-labels',
    'encoded',
    'gaps',
    'texts',
    'xgboost',
    'xgboost-regressor',
    'xgboost-booster',
    'lightgbm',
    'lightgbm-regressor',
    'catboost',
    'catboost-of-numbers',
    'catboost-regressor',
    'gaps-linear',
    'gaps-constant',
    'gaps-category',
    'gaps-ordinal',
    'gaps-needed',
    'gaps-only-texts',
    'gaps-spaces',
    'polynomial',
    'gaps-forest',
    'gaps-histograms',
    'gaps-histograms-regressor',
    'gaps-tree',
    'dropped-columns',
    'other-columns',
    'stacked',
    'voted',
    'voted-regressors',
    'calibrated',
    'linear-machine',
    'ridge',
    'several-texts',
    'nullable-types',
    'sparse',
    'polars',
    'encoded-floats',
    'file-of-scikit-learn',
    'file-of-xgboost',
    'file-of-lightgbm',
    'file-of-catboost',
  ],
);

describeWalks(
  counterpart,
  [
    'A data frame and scikit-learn',
    'An XGBoost model',
    'A LightGBM model',
    'A CatBoost model',
    'A scikit-learn pipeline with missing values',
    'A model of MLServer',
  ],
  true,
);

it('examples/data/make_data.py makes the houses of the walks', async () => {
  const folder = await makeFolder({});
  const examples = join(PROJECT, 'examples/data');
  await cp(join(examples, 'make_data.py'), join(folder, 'make_data.py'));
  await promisify(execFile)(join(folderOf(counterpart), 'bin/python'), [join(folder, 'make_data.py')]);
  const [made, kept] = await Promise.all(
    [folder, examples].map((each) => readFile(join(each, 'houses.csv'), 'utf8')),
  );
  expect(made).toBe(kept);
});
