import type { WritableStore } from '../stores/model-store.ts';
import { type RegisteredModel, versionOf } from './registered.ts';
import type { Registry } from './registry.ts';
import { memberAt } from './search/search.ts';
import { latestVersions, readStage, STAGES } from './versions.ts';

/** Why a source cannot be used. The message is a sentence for the client. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

/** Where the files of a version come from. */
export interface Source {
  readonly store: WritableStore;
  /** Its folder there; '' for all that is there. */
  readonly folder: string;
  /** The version of a registered model that it is. */
  readonly of?: { readonly model: RegisteredModel; readonly version: string } | undefined;
}

/** A URL in parts that can be compared. */
interface Address {
  readonly scheme: string;
  /** The bucket, or the host with its port. */
  readonly authority: string;
  readonly segments: readonly string[];
}

/**
 * Finds the files that the source of a version names: those of another version here, or those below a URL that the
 * operator has allowed. Nothing else is ever asked.
 *
 * @throws SourceError, StoreError, ConfigError for a scheme that this host cannot read; InferenceError for a registered
 * model that is not there
 */
export async function findSource(registry: Registry, source: string): Promise<Source> {
  if (source.startsWith('models:')) return await findRegistered(registry, source);
  const { store, sources, open } = registry;
  const address = parseAddress(source);
  if (address === undefined)
    throw new SourceError(`The source is not a URL that can be read: expected ${EXPECTED}.`);
  const own = parseAddress(store.url);
  if (own && isBelow(address, own) && address.segments.length > own.segments.length)
    return { store, folder: address.segments.slice(own.segments.length).join('/') };
  const isAllowed = sources.some((each) => {
    const allowed = parseAddress(each);
    return allowed !== undefined && isBelow(address, allowed);
  });
  if (!isAllowed || address.scheme === 'file')
    throw new SourceError(
      `The source is neither in the model repository of this server nor below one of its REGISTRY_SOURCES: expected ${EXPECTED}.`,
    );
  return { store: open(urlOf(address)), folder: '' };
}

const EXPECTED =
  'models:/name/version, models:/name@alias, or the URL of a folder with an ONNX model such as s3://bucket/model';

/** `models:/name/3`, `models:/name@champion`, `models:/name/Production` or `models:/name/latest`. */
async function findRegistered({ models, store }: Registry, source: string): Promise<Source> {
  const [, name, part, alias] = /^models:\/+([^/@]+)(?:\/([^/@]+)|@([^/@]+))$/.exec(source) ?? [];
  if (name === undefined)
    throw new SourceError(`The source names a model of another server, or none: expected ${EXPECTED}.`);
  const model = await models.get(name);
  const version =
    alias === undefined ? byPart(model, part ?? '') : memberAt(model.current.serving.aliases, alias);
  if (version === undefined)
    throw new SourceError(
      `Registered model ${JSON.stringify(name)} has no version for the source ${JSON.stringify(source.slice(0, 100))}.`,
    );
  const { status } = versionOf(model, version);
  if (status !== 'READY')
    throw new SourceError(
      `Version ${version} of ${JSON.stringify(name)}, which the source names, has no files.`,
    );
  return { store, folder: `${model.folder}/${version}`, of: { model, version } };
}

function byPart(model: RegisteredModel, part: string): string | undefined {
  if (model.versions.some(({ version }) => version === part)) return part;
  if (part.toLowerCase() === 'latest') return model.versions.at(-1)?.version;
  if (!STAGES.some((stage) => stage.toLowerCase() === part.toLowerCase())) return undefined;
  return latestVersions(model, [readStage(part)]).at(-1)?.version;
}

/**
 * A URL, compared by what it means: the host as a client would call it, the path without empty parts. Undefined for one
 * that could mean something else to somebody: with credentials, a query, control characters, or "..", also if
 * they are escaped.
 */
export function parseAddress(url: string): Address | undefined {
  const azure = /^(?:abfss?|wasbs?):\/\/([^/@]+)@([^/.@]+)\.(?:dfs|blob)\.([^/@]+)(\/.*)?$/i.exec(url);
  if (azure) {
    const [, container = '', account = '', suffix = '', path = ''] = azure;
    return parseAddress(`az://${account}.blob.${suffix}/${container}${path}`);
  }
  const [, scheme = '', authority = '', path = ''] =
    /^([a-z][a-z0-9+.-]*):\/\/([^/]*)(.*)$/is.exec(url) ?? [];
  const name = scheme.toLowerCase();
  if (name === '' || (authority === '' && name !== 'file')) return undefined;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[@?#\\\s\u0000-\u001f\u007f]/.test(authority + path)) return undefined;
  const host = hostOf(name, authority);
  const segments = path.split('/').filter((segment) => segment !== '');
  if (host === undefined || !segments.every(isPlain)) return undefined;
  return { scheme: name, authority: host, segments };
}

/** `http` and `https` have names, numbers and ports that can be written in several ways. */
function hostOf(scheme: string, authority: string): string | undefined {
  if (scheme !== 'http' && scheme !== 'https') return authority;
  const url = `${scheme}://${authority}/`;
  return URL.canParse(url) ? new URL(url).host : undefined;
}

/** Whether a part of a path is one, however often it is unescaped. */
function isPlain(segment: string): boolean {
  let text = segment;
  for (;;) {
    if (text === '.' || text === '..' || /[/\\\0]/.test(text)) return false;
    if (!/%[0-9a-f]{2}/i.test(text)) return true;
    try {
      const next = decodeURIComponent(text);
      if (next === text) return true;
      text = next;
    } catch {
      return false;
    }
  }
}

function isBelow({ scheme, authority, segments }: Address, root: Address): boolean {
  return (
    scheme === root.scheme &&
    authority === root.authority &&
    root.segments.every((segment, index) => segment === segments[index])
  );
}

function urlOf({ scheme, authority, segments }: Address): string {
  return `${scheme}://${[authority, ...segments].join('/')}`;
}
