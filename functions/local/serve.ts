import { parseArgs } from 'node:util';
import { ModelError } from '../../shared/models/model-config.ts';
import type { ModelListing } from '../../shared/models/model-reference.ts';
import type { ModelRepository } from '../../shared/models/model-repository.ts';
import { describeCall, pickShown } from '../describe-calls.ts';
import { endWith } from '../end-with.ts';
import type { Host, PeopleLog } from '../host.ts';
import type { HttpFunction } from '../http-function.ts';
import { chooseLog } from '../log-format.ts';
import { printable } from '../printable.ts';
import { readPort } from '../read-port.ts';
import { ListenError, startServer } from '../server.ts';
import { GRACE_SECONDS, graceOf, nextEnd } from '../server-end.ts';

export interface LocalOptions {
  readonly port: number;
  readonly hostname: string;
  /** How its log is written for people; undefined: as JSON. */
  readonly people: PeopleLog | undefined;
}

/**
 * Reads the options of `npm start`. Without --host, only this machine can reach the server. There is no variable for
 * it, because some shells set HOST to the machine's name. Ends the process if an option is wrong.
 */
export function readOptions(): LocalOptions {
  try {
    const { values } = parseArgs({
      args: withLogFormat(process.argv.slice(2)),
      options: {
        host: { type: 'string' },
        port: { type: 'string' },
        log: { type: 'string' },
      },
    });
    const port = readPort(values.port ?? (process.env.PORT || '8080'));
    return { port, hostname: values.host || 'localhost', people: chooseLog(values.log) };
  } catch (error) {
    return endWith(error instanceof Error ? error.message : String(error));
  }
}

/** `--log` needs no value, and the parser of Node knows no options of that kind. */
function withLogFormat(args: readonly string[]): string[] {
  return args.map((arg, index) => {
    const hasNone = arg === '--log' && (args[index + 1] ?? '-').startsWith('-');
    return hasNone ? '--log=' : arg;
  });
}

/** Listens until it is asked to end, and prints how to call its models. Ends the process if it cannot listen. */
export async function serve(host: Host, handle: HttpFunction, options: LocalOptions): Promise<void> {
  const server = await startServer(host, { ...options, handle }).catch((error: unknown) => {
    if (!(error instanceof ListenError)) throw error;
    return endWith(error.message);
  });
  const ending = nextEnd();
  // Not awaited: reading the models must not delay a signal.
  void describe(host, server.url).then(
    (text) => console.log(printable(text)),
    (error: unknown) => host.logger.log('warn', 'the models cannot be described', { error }),
  );
  await server.close(graceOf(await ending, GRACE_SECONDS * 1000));
  await host.app.close();
}

/** Most models that are listed one by one. */
const SHOWN = 20;

async function describe({ app, config }: Host, url: string): Promise<string> {
  const { repository } = app.inference;
  const models = await repository.list();
  const shown = pickShown(models);
  const described = await Promise.all(
    shown.map((model) => describeModel(repository, model, `${url}${config.basePath}`)),
  );
  const others = models.slice(shown.length, SHOWN).map(titleOf);
  return [
    `Ternion serves ${models.length === 1 ? '1 model' : `${models.length} models`} at ${url}`,
    ...described.map((text) => `\n${text}`),
    ...(others.length > 0 ? ['', ...others] : []),
    ...(models.length > SHOWN ? [`and ${models.length - SHOWN} more`] : []),
  ].join('\n');
}

async function describeModel(repository: ModelRepository, model: ModelListing, url: string): Promise<string> {
  const title = titleOf(model);
  try {
    const config = await repository.config({ name: model.name, version: model.liveVersion });
    const call = await describeCall(repository, model, url);
    return `${title}${config ? `: ${config.task}` : ''}\n  ${call}`;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return `${title}: ${error.message}`;
  }
}

function titleOf({ name, versions, liveVersion }: ModelListing): string {
  return `${name} (versions ${versions.join(', ')}; live: ${liveVersion})`;
}
