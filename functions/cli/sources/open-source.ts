import { CommandError, type Console } from '../console.ts';
import { openRemoteModel } from './download-model.ts';
import type { LocalModel, OpenedSource, RemoteModel } from './remote-model.ts';

type Locate = (address: string) => Promise<RemoteModel | LocalModel>;

/** Kinds of addresses, by how they begin. */
const SOURCES: readonly (readonly [pattern: RegExp, locate: Locate])[] = [
  [/^hf:/i, async (address) => await (await import('./hugging-face.ts')).locateOnHub(address)],
  [/^(?:models|runs):\//i, async (address) => await (await import('./mlflow.ts')).locateInMlflow(address)],
];

/** Whether an argument is the address of a model elsewhere. */
export function isSource(argument: string): boolean {
  return SOURCES.some(([pattern]) => pattern.test(argument));
}

/**
 * Brings the model at an address to this machine.
 *
 * @param file the graph that the user wants, if there are several
 * @throws CommandError, ModelError, StoreError
 */
export async function openSource(
  address: string,
  file: string | undefined,
  output: Pick<Console, 'note'>,
): Promise<OpenedSource> {
  const [, locate] = SOURCES.find(([pattern]) => pattern.test(address)) ?? [];
  if (locate === undefined)
    throw new CommandError(`${JSON.stringify(address)} is not the address of a model.`, 2);
  const model = await locate(address);
  if ('path' in model) return { ...model, close: async () => undefined };
  return await openRemoteModel(model, file, output);
}
