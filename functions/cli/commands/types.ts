import { writeFile } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { InferenceError } from '../../../shared/errors.ts';
import { ModelError } from '../../../shared/models/model-config.ts';
import type { Console } from '../console.ts';
import { QUIET } from '../find-model.ts';
import { openHost } from '../open-host.ts';
import { describeTypes, type ModelTypes } from '../project/describe-types.ts';
import { countOf } from '../words.ts';

export interface TypesOptions {
  readonly repository: string;
  readonly output: string;
}

/**
 * `ternion types`: writes what the live version of each model takes and gives as TypeScript, so that `open` of the
 * package is typed.
 */
export async function types(options: TypesOptions, output: Console): Promise<void> {
  const { repository } = options;
  const { app } = openHost({ repository, environment: QUIET });
  const known: [string, ModelTypes][] = [];
  const problems: Record<string, string> = {};
  try {
    for (const { name, liveVersion } of await app.inference.repository.list()) {
      try {
        const reference = { name, version: liveVersion };
        const { value } = await app.inference.use({ reference }, {}, ({ model }) => describeTypes(model));
        known.push([name, value]);
      } catch (error) {
        if (!(error instanceof InferenceError || error instanceof ModelError)) throw error;
        problems[name] = error.message;
      }
    }
  } finally {
    await app.close();
  }
  await writeFile(options.output, writeTypes(known, repository));
  for (const [name, problem] of Object.entries(problems)) output.note(`${name} is left out: ${problem}`);
  const models = known.map(([name]) => name);
  output.result(
    { file: options.output, models, problems },
    () => `${options.output}: ${countOf(models.length, 'model')}`,
  );
  if (Object.keys(problems).length > 0) process.exitCode = 3;
}

/** A model is opened by its name, or by its path from the folder of the project. */
function writeTypes(models: readonly (readonly [string, ModelTypes])[], repository: string): string {
  const folder = repository.includes('://') ? undefined : relative('.', repository).split(sep).join('/');
  const isInside = folder !== undefined && folder !== '' && !folder.startsWith('..');
  const members = models.flatMap(([name, { input, prediction }]) => {
    const text = `{ input: ${input}; prediction: ${prediction} };`;
    return [name, ...(isInside ? [`${folder}/${name}`] : [])].map(
      (key) => `    ${JSON.stringify(key)}: ${text}`,
    );
  });
  return [
    '// Written by "ternion types" from the models of this project. Run it again after a model has changed.',
    "import 'ternion';",
    '',
    "declare module 'ternion' {",
    '  interface Models {',
    ...members,
    '  }',
    '}',
    '',
  ].join('\n');
}
