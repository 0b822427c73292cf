import { join } from 'node:path';
import * as z from 'zod/mini';
import { createLogger } from '../../../shared/monitoring/logger.ts';
import { listDocs } from '../../../shared/openapi/docs.ts';
import { openPagesFolder } from '../../../shared/pages/folder.ts';
import type { Operation } from '../../../shared/protocols/operation.ts';
import { loadProtocols, loadSchema } from '../../../shared/protocols/operation.ts';
import { createProtocols } from '../../../shared/protocols/protocols.ts';
import { createTestHost } from '../../support/hosts/in-process.ts';
import { PROJECT } from '../../support/project.ts';
import { SILENT_MONITORING } from '../../support/silent-monitoring.ts';

/** A route as requests are sent to it. */
export interface Route {
  readonly method: string;
  /** With parameters, as `/models/{model}/predict`. */
  readonly path: string;
  /** Media types of its requests; none for routes without a body. */
  readonly types: readonly string[];
}

export interface RouteList {
  readonly routes: readonly Route[];
  /** Members of JSON bodies, as the schemas of the routes name them. */
  readonly members: readonly string[];
}

/** Values for the parameters of paths other than the name of the model. */
const PARAMETERS: Readonly<Record<string, string>> = {
  version: '1',
  label: 'champion',
  deployedModel: '1',
  project: 'p',
  location: 'l',
  repository: 'r',
  request: '1',
  part: 'metrics',
  collection: 'models',
  item: '1',
  task: 'text-classification',
  file: 'docs.js',
};
const MODEL_PARAMETERS = ['model', 'endpoint', 'deployment', 'pipeline'];

/** The routes of the server as it has them: a new one is attacked without a change here. */
export async function listRoutes(repository: string): Promise<RouteList> {
  const host = createTestHost({ MODEL_REPOSITORY: repository });
  const options = {
    inference: host.app.inference,
    config: host.config,
    version: '0',
    logger: createLogger('silent', () => undefined),
    monitoring: SILENT_MONITORING,
    pages: openPagesFolder(join(PROJECT, 'dist/pages')),
  };
  const protocols = createProtocols(options);
  const loaded = await loadProtocols([...protocols, listDocs(options, protocols)]);
  const operations = loaded.flatMap((each) => each.operations);
  await host.app.close();
  const routes = new Map<string, Route>();
  for (const { method, path, request = {} } of operations) {
    const route = { method: method === 'ALL' ? 'POST' : method, path, types: Object.keys(request) };
    const name = nameOf(route);
    if (!routes.has(name)) routes.set(name, route);
  }
  return {
    routes: [...routes.values()],
    members: [...new Set((await Promise.all(operations.map(membersOf))).flat())],
  };
}

export function nameOf({ method, path }: Pick<Route, 'method' | 'path'>): string {
  return `${method} ${path}`;
}

/** Parameters of a path without a known value. */
export function unknownParameters({ path }: Route): readonly string[] {
  return [...path.matchAll(/\{(\w+)\}/g)]
    .map(([, name = '']) => name)
    .filter((name) => !(name in PARAMETERS) && !MODEL_PARAMETERS.includes(name));
}

/** The path with the name of a model filled in. */
export function fillPath({ path }: Route, model: string): string {
  return path
    .replace('*', 'x')
    .replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      MODEL_PARAMETERS.includes(name) ? model : (PARAMETERS[name] ?? 'x'),
    );
}

async function membersOf({ request = {} }: Operation): Promise<readonly string[]> {
  const sources = Object.values(request).filter((source) => source !== null);
  const schemas = await Promise.all(sources.map(loadSchema));
  return schemas.flatMap((schema) =>
    namesIn(z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' })),
  );
}

/** Names of properties, including those of alternatives and nested schemas. */
function namesIn(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) => [
    ...(key === 'properties' && typeof value === 'object' && value !== null ? Object.keys(value) : []),
    ...namesIn(value),
  ]);
}
