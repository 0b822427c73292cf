import type { Config } from '../config.ts';
import { InferenceError, invalid } from '../errors.ts';
import { errorObject } from '../http/error-object.ts';
import { describeError } from '../http/respond.ts';
import type { Protocol } from '../protocols/operation.ts';
import type { DescribedModel } from './describe-models.ts';
import { CLIENT_ERROR, capitalize, describeOperation, SERVER_ERROR } from './describe-operation.ts';
import { chooseExamples, type Examples } from './examples.ts';
import { addModelOperations, MODELS_TAG } from './model-operations.ts';
import type { Json } from './openapi.ts';
import { createPathTable, type PathTable } from './path-table.ts';
import { createSchemaBook, type SchemaBook } from './schema-book.ts';

export interface DocumentParts {
  readonly protocols: readonly Protocol[];
  readonly models: readonly DescribedModel[];
  /** Version of Ternion itself. */
  readonly version: string;
  readonly config: Pick<Config, 'limits' | 'defaultModel'>;
}

/**
 * The description of everything that is served: for each model, its routes with its own inputs and outputs, and all
 * routes of each protocol.
 * Source: OpenAPI 3.1.
 */
export async function buildDocument({ protocols, models, version, config }: DocumentParts): Promise<Json> {
  const book = createSchemaBook();
  const paths = createPathTable();
  await addModelOperations(paths, protocols, models, config.limits, book);
  const examples = chooseExamples(models, config.defaultModel);
  for (const protocol of protocols) await addProtocol(paths, protocol, examples, book);
  const schema = book.refer(errorObject, 'Error');
  const responseOf = (description: string, error: InferenceError): Json => ({
    description,
    content: { 'application/json': { schema, example: describeError(error, REQUEST_ID) } },
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ternion',
      version,
      description: 'Serves ONNX models over HTTP, in the wire formats of several model servers.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // Relative to the document itself: gateways add prefixes that the server never sees.
    servers: [{ url: '.' }],
    // A gateway in front of the server may require credentials; the server itself does not.
    security: [],
    tags: [
      ...(models.length > 0 ? [MODELS_TAG] : []),
      ...protocols.map(({ name, description }): Json => ({ name, description })),
    ],
    paths: paths.write(),
    components: {
      schemas: book.write(),
      responses: {
        ClientError: responseOf(CLIENT_ERROR, invalid('Field "features"', 'has 3 values; expected 4.')),
        ServerError: responseOf(
          SERVER_ERROR,
          new InferenceError('MODEL_UNAVAILABLE', ['Model "a"', 'version "1" cannot be loaded: …']),
        ),
      },
    },
  };
}

const REQUEST_ID = 'b0f3d6ac-6f7f-4f4b-9a56-0a4f3a3e9d11';

async function addProtocol(
  paths: PathTable,
  protocol: Protocol,
  examples: Examples,
  book: SchemaBook,
): Promise<void> {
  for (const operation of protocol.operations) {
    // Leaves out routes that only refuse, catch-all routes, and routes for older clients.
    const { method, path: route, isLegacy = false } = operation;
    if (method === 'ALL' || route.includes('*') || isLegacy) continue;
    await paths.add(operation.method, operation.path, (path) =>
      describeOperation(
        operation,
        protocol,
        {
          path,
          operationId: nameOperation(operation.method, path),
          tag: protocol.name,
          pathExamples: examples.path,
          bodyExample: examples.body(protocol.name, operation.path),
        },
        book,
      ),
    );
  }
}

/** `POST` and `/v1/models/{model}:predict` → `postV1ModelsByModelPredict`. */
function nameOperation(method: string, path: string): string {
  const words = capitalize(path.replaceAll('{', 'by-'));
  return method.toLowerCase() + (words || 'Root');
}
