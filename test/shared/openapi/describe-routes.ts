import { post } from '../../contracts/exchanges.ts';
import type { TestHost } from '../../support/hosts/test-host.ts';
import { createValidator, jsonSchemaOf, readDocument } from './read-document.ts';

/** The host, and the routes of its models as its document describes them. */
export async function describeRoutes(host: TestHost) {
  const document = await readDocument(host);
  const validator = createValidator(document);
  const operationOf = (path: string) => {
    const operation = document.paths[path]?.post;
    if (!operation) throw new Error(`${path} is not described`);
    return operation;
  };
  const isAnswered = async (path: string, body: unknown) =>
    (await host.send(post(path, body))).status === 200;
  const isTaken = (path: string, body: unknown) =>
    validator.problems(jsonSchemaOf(operationOf(path).requestBody?.content), body) === '';
  return { document, validator, operationOf, isAnswered, isTaken };
}
