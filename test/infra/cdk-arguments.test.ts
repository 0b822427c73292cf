import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toCdkArguments } from '../../infra/cdk-arguments.ts';

const MODELS = `modelsFolder=${resolve('my-models')}`;

describe('the arguments of CDK', () => {
  test.each<[readonly string[], readonly string[]]>([
    [[], []],
    [
      ['--models', 'my-models'],
      ['--context', MODELS],
    ],
    [
      ['-c', 'memorySizeMb=3008', '--models=my-models', '--profile', 'work'],
      ['-c', 'memorySizeMb=3008', '--context', MODELS, '--profile', 'work'],
    ],
  ])('for %j are %j', (args, expected) => {
    expect(toCdkArguments('deploy', args)).toEqual(expected);
  });

  test.each([
    '--require-approval=never',
    '--requireApproval',
    '--outputs-file',
    '--no-rollback',
    '--yes',
    '-y',
    '--help',
    '--',
  ])('include its own option %s', (option) => {
    expect(toCdkArguments('deploy', [option])).toEqual([option]);
  });

  test.each(['--model', '--modelsFolder', '--memorySizeMb', '--no-models', '--default-model=iris'])(
    'do not include %s, which CDK would ignore',
    (option) => {
      const [name = ''] = option.split('=');
      expect(() => toCdkArguments('synth', [option, 'x'])).toThrow(`${name} is not an option. `);
    },
  );

  test('hold to one command: --outputs-file is an option of "cdk deploy" only', () => {
    expect(() => toCdkArguments('synth', ['--outputs-file', 'x'])).toThrow(
      '--outputs-file is not an option. ',
    );
  });

  test.each([['--models'], ['--models='], ['--models', '--profile']])('need a folder: %j', (...args) => {
    expect(() => toCdkArguments('deploy', args)).toThrow(
      '--models has no folder; expected --models <folder>.',
    );
  });
});
