import type { Context } from 'hono';
import type * as z from 'zod/mini';
import type { Config } from '../config.ts';
import type { Answer, AppEnvironment, ErrorEncoder } from '../http/context.ts';
import type { Inference, NamedChoice } from '../inference/inference.ts';
import type { Logger } from '../monitoring/logger.ts';
import type { Monitoring } from '../monitoring/monitoring.ts';
import type { Pages } from '../pages/pages.ts';
import type { RegistryParts } from '../registry/registry.ts';

export type Handler = (c: Context<AppEnvironment>) => Response | Answer | Promise<Response | Answer>;

/**
 * A schema, or a function that makes it. A schema that only describes, because other code validates, is made when it is
 * asked for and not at every start. If it is made of parts of another protocol, these are loaded first.
 */
export type SchemaSource = z.ZodMiniType | SchemaMaker;
export type SchemaMaker = () => z.ZodMiniType | Promise<z.ZodMiniType>;

/** The schema itself, made now if necessary. */
export async function loadSchema(source: SchemaSource): Promise<z.ZodMiniType> {
  return typeof source === 'function' ? await source() : source;
}

/** The content of a request or an answer, by media type. A schema describes JSON; `null` stands for plain bytes. */
export type Content = Readonly<Record<string, SchemaSource | null>>;

/** Content that is JSON. */
export function jsonContent(schema: SchemaSource): Content {
  return { 'application/json': schema };
}

/** One route and its description. Routes and `/openapi.json` come from the same list of them. */
export interface Operation {
  /**
   * `ALL` only for routes that always refuse, or whose protocol has another description, and `OPTIONS` for older
   * clients: such routes are not part of the description.
   */
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS' | 'ALL';
  /** As in OpenAPI: `/v1/models/{model}:predict`. */
  readonly path: string;
  /** Whether the description omits it, because it only serves older clients or only explains a refusal. */
  readonly isLegacy?: boolean;
  /** Whether it is for the operator of the server, and refused to pages of other sites. */
  readonly isAdmin?: boolean;
  readonly handle: Handler;
  /** What the operation does: a phrase with a verb, without a full stop. */
  readonly summary?: string;
  readonly query?: Readonly<Record<string, SchemaSource>>;
  readonly headers?: Readonly<Record<string, SchemaSource>>;
  readonly request?: Content;
  /** Whether it works without a body as well. */
  readonly isBodyOptional?: boolean;
  /** Content of the answer with status 200. */
  readonly response?: Content;
  /** Content of answers with another status that do not hold the error object. */
  readonly otherResponses?: Readonly<Record<number, Content>>;
  /** How errors of this route are written, if its clients need a form of their own. */
  readonly encodeError?: ErrorEncoder;
  /** What `encodeError` writes. */
  readonly errorContent?: Content;
}

/** One wire format: the routes of a model server whose clients can be pointed here. */
export interface Protocol {
  /** Name in settings, and the tag of its operations in `/openapi.json`. */
  readonly name: string;
  readonly description: string;
  readonly operations: readonly Operation[];
  /** How its errors are written, if its clients do not read the usual object. */
  readonly encodeError?: ErrorEncoder;
  /** What `encodeError` writes. */
  readonly errorContent?: Content;
}

/** A method and a path, as an operation has them. */
export interface Route {
  readonly method: string;
  readonly path: string;
}

/** A protocol that may not be loaded yet. Its routes are known; the first request to one of them loads the rest. */
export interface ListedProtocol {
  readonly routes: readonly Route[];
  /** The protocol. It is loaded once, and again if that has failed. */
  readonly load: () => Promise<Protocol>;
}

/** Loads all of these protocols, in their order. */
export async function loadProtocols(listed: readonly ListedProtocol[]): Promise<readonly Protocol[]> {
  return await Promise.all(listed.map(({ load }) => load()));
}

/** What protocols are built from. */
export interface ProtocolOptions {
  readonly inference: Inference;
  readonly config: Config;
  /** Version of Ternion itself. */
  readonly version: string;
  readonly logger: Logger;
  readonly monitoring: Monitoring;
  /** Ternion's own pages for browsers. */
  readonly pages: Pages;
  /** What the registry of models works with; undefined if this server can write no repository. */
  readonly registry?: (() => Promise<RegistryParts>) | undefined;
}

/** A parameter of the path, without the verb after it: no name has a colon. */
export function pathParameter(c: Context<AppEnvironment>, name: string): string | undefined {
  return c.req.param(name)?.replace(/:\w+$/, '');
}

/** The model in the path: `{model}`, with its `{version}` or the alias `{label}`. */
export function choiceOf(c: Context<AppEnvironment>): NamedChoice {
  return {
    model: pathParameter(c, 'model') ?? '',
    version: pathParameter(c, 'version'),
    alias: pathParameter(c, 'label'),
  };
}
