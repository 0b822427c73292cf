import { pathToFileURL } from 'node:url';
import { ConfigError } from '../shared/config.ts';
import { type AppOwnCode, prepareOwnCode } from '../shared/own-requests.ts';
import type { OwnCode } from '../shared/processors/own-code.ts';
import type { Processor, Takes } from '../shared/processors/processor.ts';
import { isSettingsError } from '../shared/processors/settings-error.ts';

/**
 * Loads compiled own code, and makes it ready for an app.
 *
 * @param title its name in messages
 * @throws ConfigError when its default export is not a configuration, or something has wrong settings; what the code
 *   throws itself
 */
export async function importOwnCode(file: string, title: string): Promise<AppOwnCode> {
  return prepareOwnCode(await importConfig(file, title));
}

/** Loads compiled own code as its project has written it. */
export async function importConfig(file: string, title: string): Promise<OwnCode> {
  process.setSourceMapsEnabled(true);
  const { default: code } = await importModule(file, title);
  checkOwnCode(code, title);
  return code;
}

async function importModule(file: string, title: string): Promise<{ readonly default?: unknown }> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    if (!isSettingsError(error)) throw error;
    throw new ConfigError(`${title} cannot be used: ${error.message}`);
  }
}

/** Whether each member has its kind. */
const MEMBERS: Readonly<Record<keyof OwnCode, (value: unknown) => boolean>> = {
  processors: (value) => Array.isArray(value) && value.every(isProcessor),
  routes: (value) => Array.isArray(value) && value.every(isRoute),
  middleware: (value) => Array.isArray(value) && value.every(isFunction),
  onAnswer: isFunction,
};

const EXPECTED: Readonly<Record<keyof OwnCode, string>> = {
  processors: 'a list of what defineProcessor returns',
  routes: 'a list of {method, path, handle}',
  middleware: 'a list of functions',
  onAnswer: 'a function',
};

function checkOwnCode(code: unknown, title: string): asserts code is OwnCode {
  if (typeof code !== 'object' || code === null || Array.isArray(code)) {
    throw new ConfigError(
      `${title} must have a default export: export default defineConfig({ processors: [...] }).`,
    );
  }
  for (const [name, value] of Object.entries(code)) {
    if (!isMember(name)) {
      const known = Object.keys(MEMBERS).join(', ');
      throw new ConfigError(
        `${title} has the unknown member ${JSON.stringify(name.slice(0, 60))}; the members are ${known}.`,
      );
    }
    if (value !== undefined && !MEMBERS[name](value)) {
      const detail = name === 'processors' ? problemOfProcessors(value) : '';
      throw new ConfigError(`${title} has the wrong member "${name}"; expected ${EXPECTED[name]}${detail}.`);
    }
  }
  const processors: readonly unknown[] =
    'processors' in code && Array.isArray(code.processors) ? code.processors : [];
  const names = processors.flatMap((each) => (isProcessor(each) ? [each.name] : []));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ConfigError(`${title} defines the step "${twice}" twice.`);
}

function isMember(name: string): name is keyof OwnCode {
  return Object.hasOwn(MEMBERS, name);
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

function isProcessor(value: unknown): value is { readonly name: string } {
  return problemOf(value) === undefined;
}

/** The first of several processors that is wrong, with what is wrong; empty if it is not a list. */
function problemOfProcessors(value: unknown): string {
  if (!Array.isArray(value)) return '';
  const processors: readonly unknown[] = value;
  const index = processors.findIndex((each) => !isProcessor(each));
  return `, and processors[${index}] ${problemOf(processors[index]) ?? ''}`;
}

/** What keeps a value from being a processor. */
function problemOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'is not an object';
  const { name, before, after, state, takes, options, input }: Partial<Record<keyof Processor, unknown>> =
    value;
  if (typeof name !== 'string' || name === '') return 'has no "name"';
  const named = `with the name ${JSON.stringify(name.slice(0, 60))}`;
  const functions = { before, after, state };
  for (const [member, each] of Object.entries(functions))
    if (each !== undefined && !isFunction(each)) return `${named} has a "${member}" that is not a function`;
  if (before === undefined && after === undefined) {
    const members = Object.keys(value).map((member) => `"${member}"`);
    return `${named} has neither "before" nor "after"; it has ${members.join(', ')}`;
  }
  const schemas = { options, input };
  for (const [member, each] of Object.entries(schemas))
    if (each !== undefined && !isSchema(each))
      return `${named} has "${member}", which is not a schema, such as z.object({...})`;
  if (takes !== undefined && !TAKES.some((each) => each === takes))
    return `${named} has another "takes" than ${TAKES.map((each) => `"${each}"`).join(', ')}`;
  return undefined;
}

const TAKES: readonly Takes[] = ['features', 'image', 'text'];

function isSchema(value: unknown): boolean {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  if (!isObject || !('~standard' in value)) return false;
  const { '~standard': standard } = value;
  if (typeof standard !== 'object' || standard === null || !('validate' in standard)) return false;
  return isFunction(standard.validate);
}

function isRoute(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('method' in value && 'path' in value)) return false;
  const isText = typeof value.method === 'string' && typeof value.path === 'string';
  return isText && 'handle' in value && isFunction(value.handle);
}
