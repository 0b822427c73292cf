import { CommandError } from '../console.ts';

/** What a URI of MLflow names. */
export type MlflowAddress =
  | { readonly is: 'version'; readonly name: string; readonly version: string }
  | { readonly is: 'alias'; readonly name: string; readonly alias: string }
  /** The highest version of a stage, or of all stages if there is none. */
  | { readonly is: 'latest'; readonly name: string; readonly stage: string | undefined }
  | { readonly is: 'logged'; readonly id: string }
  | { readonly is: 'run'; readonly run: string; readonly path: string };

/**
 * Reads `models:/name/3`, `models:/name@alias`, `models:/name/latest`, `models:/name/Stage`, `models:/m-1234` and
 * `runs:/1234/path`.
 *
 * Source: MLflow 3.17, "Model URIs" and "Artifact URIs".
 *
 * @throws CommandError
 */
export function parseMlflowAddress(address: string): MlflowAddress {
  const [, scheme = '', path = ''] = /^(models|runs):\/(?!\/)(.*)$/i.exec(address) ?? [];
  const parts = path.replace(/\/+$/, '').split('/');
  const [first = '', second] = parts;
  const isWhole = parts.every((part) => part.trim() !== '' && part !== '.' && part !== '..');
  if (isWhole && scheme.toLowerCase() === 'runs' && second !== undefined)
    return { is: 'run', run: first, path: parts.slice(1).join('/') };
  if (!isWhole || scheme.toLowerCase() !== 'models' || parts.length > 2) throw refuse(address);
  if (second === undefined) {
    const [, name, alias] = /^(.+)@([^@]+)$/.exec(first) ?? [];
    if (name !== undefined && alias !== undefined) return { is: 'alias', name, alias };
    if (/^m-\w+$/.test(first)) return { is: 'logged', id: first };
    throw refuse(address);
  }
  if (/^\d+$/.test(second)) return { is: 'version', name: first, version: second };
  return { is: 'latest', name: first, stage: second.toLowerCase() === 'latest' ? undefined : second };
}

function refuse(address: string): CommandError {
  return new CommandError(
    `${JSON.stringify(address)} is not the address of a model; expected models:/name/version, models:/name@alias, models:/name/latest or runs:/run/path.`,
    2,
  );
}
