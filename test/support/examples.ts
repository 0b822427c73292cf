import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './project.ts';

export const EXAMPLES = join(PROJECT, 'examples');

/** The model versions of an example, such as `demand/1`. */
export function versionsOf(example: string): readonly string[] {
  return globSync('*/*/model.onnx', { cwd: join(EXAMPLES, example, 'models') })
    .map((path) => path.split(/[\\/]/).slice(0, 2).join('/'))
    .sort();
}

/** What a train.py needs, as pip takes it: `numpy==2.4.6`. */
export function requirementsOf(examples: readonly string[]): readonly string[] {
  const lines = examples.flatMap((example) =>
    readFileSync(join(EXAMPLES, example, 'requirements.txt'), 'utf8').split('\n'),
  );
  return [...new Set(lines.filter((line) => line !== '' && !line.startsWith('#')))].sort();
}
