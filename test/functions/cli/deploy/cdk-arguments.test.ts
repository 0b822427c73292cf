import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type StackCommand, toCdkArguments } from '../../../../functions/cli/deploy/cdk-arguments.ts';
import { PROJECT } from '../../../support/project.ts';

const argumentsOf = (command: StackCommand, args: readonly string[]) =>
  toCdkArguments(command, args, join(PROJECT, 'node_modules/aws-cdk'));

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
    expect(argumentsOf('deploy', args)).toEqual(expected);
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
    expect(argumentsOf('deploy', [option])).toEqual([option]);
  });

  test.each(['--model', '--modelsFolder', '--memorySizeMb', '--no-models', '--default-model=iris'])(
    'do not include %s, which CDK would ignore',
    (option) => {
      const [name = ''] = option.split('=');
      expect(() => argumentsOf('synth', [option, 'x'])).toThrow(`${name} is not an option. `);
    },
  );

  test('hold to one command: --outputs-file is an option of "cdk deploy" only', () => {
    expect(() => argumentsOf('synth', ['--outputs-file', 'x'])).toThrow('--outputs-file is not an option. ');
  });

  test.each([['--models'], ['--models='], ['--models', '--profile']])('need a folder: %j', (...args) => {
    expect(() => argumentsOf('deploy', args)).toThrow('--models has no folder; expected --models <folder>.');
  });
});
