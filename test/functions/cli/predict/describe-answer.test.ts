import { describe, expect, it } from 'vitest';
import { describeAnswer } from '../../../../functions/cli/predict/describe-answer.ts';

describe('describeAnswer', () => {
  it('shows probabilities in percent', () => {
    const answer = { prediction: 'a', confidence: 1.000_001, probabilities: { b: 0, a: 1.000_001 } };
    expect(describeAnswer(answer)).toBe('a  100.00 %\n  a  100.00 %\n  b    0.00 %');
  });

  it('shows scores that are not probabilities as plain numbers', () => {
    const answer = { prediction: 'a', class_id: 0, scores: { c: -1.7469, a: 0.5, b: 0.25 } };
    expect(describeAnswer(answer)).toBe('a\n  a     0.5000\n  b     0.2500\n  c    -1.7469');
  });

  it('shows any probabilities as shares', () => {
    const predictions = [
      { prediction: 'a', confidence: 0.5 },
      { prediction: 'b', confidence: 1 },
    ];
    expect(describeAnswer({ predictions })).toBe('a   50.00 %\nb  100.00 %');
  });

  it('shows one output of a row per line, without the members about the run', () => {
    const row = { label: [1, 'short'], scores: 0.25 };
    const run = { model: 'm', model_version: '1', inference_time_ms: 0.1 };
    expect(describeAnswer({ ...row, ...run })).toBe('label   [1,"short"]\nscores  0.25');
    expect(describeAnswer({ predictions: [row, row], ...run })).toBe(
      '{"label":[1,"short"],"scores":0.25}\n{"label":[1,"short"],"scores":0.25}',
    );
  });
});
