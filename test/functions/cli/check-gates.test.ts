import { describe, expect, it } from 'vitest';
import { checkMetrics } from '../../../functions/cli/release/check-gates.ts';

const isPassed = (name: string, before: number, after: number) =>
  checkMetrics({ [name]: before }, { [name]: after }, new Map()).passed;

describe('checkMetrics', () => {
  it.each([...['accuracy', 'recent_accuracy', 'receiver_auc', 'deferred_recall', 'terror_f1', 'precision']])(
    'wants more of %s',
    (name) => {
      expect([isPassed(name, 0.5, 0.6), isPassed(name, 0.5, 0.4), isPassed(name, 0.5, 0.5)]).toEqual([
        true,
        false,
        true,
      ]);
    },
  );

  it.each([
    ...['loss', 'log_loss', 'logloss', 'val_loss', 'RMSE', 'mean_absolute_error', 'test-mape', 'wer'],
    ...['top5_err', 'ece', 'latency_ms', 'perplexity'],
  ])('wants less of %s', (name) => {
    expect([isPassed(name, 0.5, 0.6), isPassed(name, 0.5, 0.4)]).toEqual([false, true]);
  });
});
