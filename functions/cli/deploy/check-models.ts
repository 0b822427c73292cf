import { InferenceError, MissingPackageError } from '../../../shared/errors.ts';
import { ModelError } from '../../../shared/models/model-config.ts';
import { CommandError } from '../console.ts';
import { QUIET } from '../find-model.ts';
import { openHost } from '../open-host.ts';
import { openOwnCode } from '../project/own-code.ts';

/**
 * Loads the live version of each model with the own code of the project, as the deployed function will.
 *
 * @throws CommandError that names each model that cannot be loaded
 */
export async function checkModels(repository: string, config: string | undefined): Promise<void> {
  await openOwnCode(config);
  const { app } = openHost({ repository, environment: QUIET });
  const problems: string[] = [];
  try {
    for (const { name, liveVersion } of await app.inference.repository.list()) {
      const reference = { name, version: liveVersion };
      const problem = await app.inference
        .use({ reference }, {}, () => undefined)
        .then(() => undefined, problemOf);
      if (problem !== undefined) problems.push(`${name}/${liveVersion}: ${problem}`);
    }
  } finally {
    await app.close();
  }
  if (problems.length === 0) return;
  throw new CommandError(
    [
      'Models that cannot be loaded here could not answer there either; --no-check builds all the same.',
      ...problems,
    ].join('\n'),
  );
}

/** Only this machine needs a package for images: the function has it. */
function problemOf(error: unknown): string | undefined {
  if (!(error instanceof InferenceError || error instanceof ModelError)) throw error;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof MissingPackageError) return undefined;
  return error.message;
}
