import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../../shared/config.ts';
import type { ModelListing } from '../../../shared/models/model-reference.ts';
import { isVersion } from '../../../shared/models/versions.ts';
import { StoreError } from '../../../shared/stores/model-store.ts';
import { collectWhenIdle } from '../../collect-when-idle.ts';
import { describeCall, pickShown } from '../../describe-calls.ts';
import type { Host, PeopleLog } from '../../host.ts';
import { createHttpFunction } from '../../http-function.ts';
import { chooseLog } from '../../log-format.ts';
import { ListenError, type RunningServer, type ServerOptions, startServer } from '../../server.ts';
import { graceOf, nextEnd } from '../../server-end.ts';
import { shellWord } from '../../shell-word.ts';
import { CommandError, type Console, describeFailure } from '../console.ts';
import { adviseOnForeign, checkModelFile } from '../foreign/foreign-models.ts';
import { checkOnlyGraph, isVersionFolder, listOf, modelFoldersOf } from '../model-path.ts';
import { openHost } from '../open-host.ts';
import { alignColumns, readWhole } from '../words.ts';

export interface ServeOptions {
  readonly port: string;
  readonly host: string;
  readonly grace: string;
  readonly keepAlive: string;
  readonly repository?: string;
  /** Whether each request and each load is logged, and how: `json` or `pretty`. */
  readonly log?: string | boolean;
}

/** @throws CommandError for another format than there is */
function readLog(log: ServeOptions['log']): PeopleLog | undefined {
  try {
    return chooseLog(log);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CommandError(error.message, 2);
  }
}

/**
 * `ternion serve`: the app on our own HTTP server, until a signal ends it.
 *
 * @param unexpected arguments; the command takes none
 */
export async function serve(
  unexpected: readonly string[],
  options: ServeOptions,
  output: Console,
): Promise<void> {
  const [argument] = unexpected;
  if (argument !== undefined) throw await refuseArgument(argument);
  const people = readLog(options.log);
  const port = readWhole(options.port || DEFAULT_PORT, '--port', 0, 65_535);
  const graceMs = readWhole(options.grace, '--grace', 0, 3600) * 1000;
  const keepAliveSeconds = readWhole(options.keepAlive, '--keep-alive', 1, 86_400);
  await checkRepository(options.repository);
  const host = openHost({
    repository: options.repository,
    isServer: true,
    people: output.isJson ? undefined : people,
  });
  // A missing repository is a mistake of the caller; requests for a model that cannot be loaded get the reason.
  await host.app.inference.repository.ready().catch(async (error: unknown) => {
    throw (await isMissingFolder(error, host)) ? noRepository(host.config.modelRepository) : error;
  });
  const models = await host.app.inference.repository.list();
  if (models.length === 0) await checkNotModel(options.repository);
  await host.app.preload();
  const server = await listen(host, { port, hostname: options.host || DEFAULT_HOST, keepAliveSeconds });
  // Before the line below is printed: a program that reads it may stop the server at once.
  const ending = nextEnd();
  const foreign = models.length === 0 ? await findForeignModel(options.repository) : undefined;
  const listed = models.map(({ name, versions, liveVersion }) => ({ name, versions, live: liveVersion }));
  output.result({ url: server.url, models: listed }, () =>
    [
      `Ternion serves ${host.config.modelRepository} at ${server.url}`,
      ...describePages(host.config, server.url),
      ...describeModels(models, foreign),
    ].join('\n'),
  );
  // Not awaited: reading the models must not delay a signal.
  if (!output.isJson && models.length > 0) void tellCalls(host, models, server.url, output);
  const end = await ending;
  const why = end === 'npm' ? 'npm has ended' : end;
  output.note(`${why}: finishing the requests in progress; a second signal stops it at once.`);
  await server.close(graceOf(end, graceMs));
  await host.app.close();
}

async function listen(host: Host, options: ServerOptions): Promise<RunningServer> {
  try {
    return await startServer(host, { ...options, handle: collectWhenIdle(createHttpFunction(host)) });
  } catch (error) {
    throw error instanceof ListenError ? new CommandError(error.message) : error;
  }
}

async function tellCalls(
  { app, config }: Host,
  models: readonly ModelListing[],
  url: string,
  output: Console,
): Promise<void> {
  try {
    const { repository } = app.inference;
    const describe = (model: ModelListing) => describeCall(repository, model, `${url}${config.basePath}`);
    const calls = await Promise.all(pickShown(models).map(describe));
    output.result('', () => calls.map((call) => `  ${call}`).join('\n'));
  } catch (error) {
    output.note(`The curl commands for the models cannot be shown: ${describeFailure(error).text}`);
  }
}

/** A path after the command: a repository, or a model that is not in one yet. */
async function refuseArgument(argument: string): Promise<CommandError> {
  const facts = await stat(argument).catch(() => undefined);
  if (facts) await checkNotForeign(argument, facts.isFile());
  if (facts?.isFile() || (facts && (await isVersionFolder(argument)))) return notRepository(argument);
  const meant = facts || !isPath(argument) ? shellWord(argument) : '<folder or URL>';
  return new CommandError(
    `ternion serve takes no argument; --repository names the repository to serve: ternion serve --repository ${meant}`,
    2,
  );
}

/** People who have exported a model may well try to serve it as it is. */
async function checkRepository(repository: string | undefined): Promise<void> {
  if (!repository || !isPath(repository)) return;
  const facts = await stat(repository).catch(() => undefined);
  if (!facts) return;
  await checkNotForeign(repository, facts.isFile());
  // Other files are reported as a repository that is not a folder.
  if (/\.onnx$/i.test(repository) || (await isVersionFolder(repository))) throw notRepository(repository);
}

/** @throws CommandError for a model of another framework, which must be exported first */
async function checkNotForeign(path: string, isFile: boolean): Promise<void> {
  try {
    if (isFile) await checkModelFile(path, path);
    else await checkOnlyGraph(path, path);
  } catch (error) {
    // "ternion add" says what else is wrong with it.
    if (error instanceof CommandError) throw error;
  }
}

function notRepository(model: string): CommandError {
  return new CommandError(
    `${model} is a model, not a repository of models. Publish it in a repository, and serve that:\n` +
      `  ternion add ${shellWord(model)} -r models\n` +
      '  ternion serve -r models',
    2,
  );
}

async function isMissingFolder(error: unknown, { config }: Host): Promise<boolean> {
  if (!(error instanceof StoreError) || error.reason !== 'missing') return false;
  const { modelRepository } = config;
  return isPath(modelRepository) && !(await stat(modelRepository).catch(() => undefined));
}

function noRepository(folder: string): CommandError {
  return new CommandError(
    `There is no folder ${JSON.stringify(folder)} to serve models from. Publish a model to create it:\n` +
      `  ternion add <model.onnx or folder> -r ${shellWord(folder)}\n` +
      'Or name another repository with --repository.',
  );
}

/** The folder of a model holds no models, so it would be served as an empty repository. */
async function checkNotModel(repository: string | undefined): Promise<void> {
  if (!repository || !isPath(repository)) return;
  const versions = (await modelFoldersOf(repository)).filter((name) => isVersion(name));
  if (versions.length === 0) return;
  throw new CommandError(
    `${repository} is a model with the versions ${listOf(versions)}, not a repository: serve ${shellWord(join(repository, '..'))}.`,
    2,
  );
}

/** What a repository without models holds instead, if it is a model of another framework. */
async function findForeignModel(repository: string | undefined): Promise<string | undefined> {
  if (!repository || !isPath(repository)) return undefined;
  return await adviseOnForeign(repository, repository);
}

function isPath(repository: string): boolean {
  return !repository.includes('://');
}

function describePages({ playground, docs, basePath }: Config, url: string): readonly string[] {
  const pages = [
    ...(playground ? [`playground ${url}${basePath}/`] : []),
    ...(docs ? [`docs ${url}${basePath}/docs`] : []),
  ];
  return pages.length > 0 ? [`  ${pages.join('  ')}`] : [];
}

/** An empty PORT counts as unset. So does an empty --host, with which Node would listen on all addresses. */
const DEFAULT_PORT = '8080';
const DEFAULT_HOST = 'localhost';
/** Most models that are listed one by one. */
const SHOWN = 20;

function describeModels(models: readonly ModelListing[], foreign: string | undefined): readonly string[] {
  if (models.length === 0) {
    const how = '  no models yet; ternion add <model.onnx or folder> publishes one';
    return foreign === undefined ? [how] : [how, `  its ${foreign}`];
  }
  const rows = models
    .slice(0, SHOWN)
    .map(({ name, versions, liveVersion }) => [
      `  ${name}`,
      `version ${liveVersion}${versions.length > 1 ? ` of ${versions.length}` : ''}`,
    ]);
  const more = models.length > SHOWN ? [`  and ${models.length - SHOWN} more`] : [];
  return [...alignColumns(rows, ['left', 'left']), ...more];
}
