import { describeExports, describeWalks } from '../describe-exports.ts';
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
    'file-of-scikit-learn',
    'file-of-xgboost',
    'file-of-lightgbm',
    'file-of-catboost',
  ],
);

describeWalks(
  counterpart,
  ['A data frame and scikit-learn', 'A model of XGBoost', 'A model of LightGBM', 'A model of CatBoost'],
  true,
);
