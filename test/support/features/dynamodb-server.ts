import { type JsonServer, startJsonServer } from './json-server.ts';

export interface DynamoDbServer extends JsonServer {
  /** The items of each table. */
  readonly tables: Map<string, Readonly<Record<string, unknown>>[]>;
  readonly limits: {
    /** How many keys of a request are answered; the others are left unprocessed. */
    mostProcessed: number;
  };
}

/** Enough of DynamoDB for BatchGetItem. The key of an item is all that a request names as its key. */
export async function startDynamoDbServer(): Promise<DynamoDbServer> {
  const tables = new Map<string, Readonly<Record<string, unknown>>[]>();
  const limits = { mostProcessed: 100 };
  const server = await startJsonServer(({ json }) => {
    const [table = ''] = Object.keys(json.RequestItems);
    const { Keys, ProjectionExpression, ExpressionAttributeNames } = json.RequestItems[table];
    const items = tables.get(table);
    if (items === undefined) return refuse('ResourceNotFoundException');
    const texts: readonly string[] = Keys.map((key: unknown) => JSON.stringify(key));
    if (Keys.length > 100 || new Set(texts).size < texts.length) return refuse('ValidationException');
    const paths: readonly string[] = ProjectionExpression.split(', ');
    const names = paths.map((path) => String(ExpressionAttributeNames[path]));
    const left = Keys.slice(limits.mostProcessed);
    const found = Keys.slice(0, limits.mostProcessed).flatMap((key: Record<string, unknown>) => {
      const item = items.find((each) =>
        Object.entries(key).every(([name, value]) => JSON.stringify(each[name]) === JSON.stringify(value)),
      );
      return item === undefined ? [] : [pick(item, names)];
    });
    return [
      200,
      {
        Responses: { [table]: found },
        UnprocessedKeys: left.length === 0 ? {} : { [table]: { Keys: left } },
      },
    ];
  });
  return Object.assign(server, { tables, limits });
}

function pick(item: Readonly<Record<string, unknown>>, names: readonly string[]) {
  return Object.fromEntries(names.flatMap((name) => (Object.hasOwn(item, name) ? [[name, item[name]]] : [])));
}

/** An error as DynamoDB writes it. */
export function refuse(name: string, status = 400): readonly [number, object] {
  return [status, { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'the reason' }];
}
