import { describeJson } from '../../shared/json/json-value.ts';
import { DIRECT_INVOKE_KEYS } from './direct-invoke.ts';

/**
 * The function was invoked with an event that it cannot serve. The invocation has to fail: queues, streams and topics
 * treat any returned value as success, and would delete the unprocessed event. The runtime of Lambda logs the error.
 */
export class UnknownEventError extends Error {
  override readonly name = 'UnknownEventError';

  /** The message names the kind of event, without its content. */
  constructor(event: unknown) {
    const keys = DIRECT_INVOKE_KEYS.map((key) => `"${key}"`).join(', ');
    super(
      `The function was invoked with ${describeEvent(event)}; expected an HTTP event of API Gateway, a Function URL or a load balancer, or an object with one of ${keys}.`,
    );
  }
}

type Members = Readonly<Record<string, unknown>>;

/** Event sources by their `eventSource`. */
const SOURCES: Readonly<Record<string, string>> = {
  'aws:sqs': 'an SQS event',
  'aws:sns': 'an SNS event',
  'aws:s3': 'an S3 event',
  'aws:ses': 'an SES event',
  'aws:dynamodb': 'a DynamoDB event',
  'aws:kinesis': 'a Kinesis event',
  'aws:codecommit': 'a CodeCommit event',
  'aws:kafka': 'a Kafka event',
  SelfManagedKafka: 'a Kafka event',
  'aws:amq': 'an ActiveMQ event',
  'aws:rmq': 'a RabbitMQ event',
  'aws:docdb': 'a DocumentDB event',
};

/**
 * Other event sources, by a key that only their events have. Source: @types/aws-lambda and the guides of the services.
 */
const MARKS: readonly (readonly [key: string, words: string])[] = [
  ['detail-type', 'an EventBridge event'],
  ['awslogs', 'a CloudWatch Logs event'],
  ['alarmData', 'a CloudWatch alarm'],
  ['deliveryStreamArn', 'a Firehose event'],
  ['invocationSchemaVersion', 'an S3 Batch event'],
  ['getObjectContext', 'an S3 Object Lambda event'],
  ['triggerSource', 'a Cognito event'],
  ['methodArn', 'an authorizer event'],
  ['routeArn', 'an authorizer event'],
  ['authorizationToken', 'an authorizer event'],
  ['protocolData', 'an authorizer event'],
  ['arguments', 'an AppSync event'],
  ['invocationSource', 'a Lex event'],
  ['Details', 'a Connect event'],
  ['CodePipeline.job', 'a CodePipeline event'],
  ['ResponseURL', 'a CloudFormation event'],
  ['SecretId', 'a Secrets Manager event'],
  ['raw_path', 'a VPC Lattice event'],
];

function describeEvent(event: unknown): string {
  if (!isObject(event)) return event && !Array.isArray(event) ? `a ${typeof event}` : describeJson(event);
  const records = listRecords(event);
  const [first] = records;
  const source = typeof event.eventSource === 'string' ? event : isObject(first) ? first : {};
  const known = describeSource(source, records);
  if (known !== undefined) return known;
  const [, words] = MARKS.find(([key]) => Object.hasOwn(event, key)) ?? [];
  return words === undefined ? describeRest(event) : words + quote('source', event.source);
}

/** Records are in one list; those of Kafka are in a list for each partition. */
function listRecords({ Records: list, records = list }: Members): readonly unknown[] {
  if (Array.isArray(records)) return records;
  return isObject(records) ? Object.values(records).flat() : [];
}

function describeSource(source: Members, records: readonly unknown[]): string | undefined {
  // SNS writes it with a capital letter.
  const { EventSource: capital, eventSource: name = capital } = source;
  const count = `${records.length} ${records.length === 1 ? 'record' : 'records'}`;
  if (isObject(source.cf)) return `a CloudFront event with ${count}`;
  if (typeof name !== 'string') return undefined;
  const words = SOURCES[name] ?? 'an event';
  return `${words} with ${count}${quote('eventSource', name)}`;
}

function describeRest(event: Members): string {
  const { requestContext } = event;
  const context = isObject(requestContext) ? requestContext : {};
  if (Object.hasOwn(context, 'connectionId')) return 'a WebSocket event';
  if (Object.hasOwn(context, 'serviceNetworkArn')) return 'a VPC Lattice event';
  const missing = listMissing(event, context);
  return missing.length > 0 ? `an HTTP event without ${missing.join(' and ')}` : describeJson(event);
}

/** The members that an event similar to an HTTP event lacks. */
function listMissing(event: Members, context: Members): readonly string[] {
  const isV2 = Object.hasOwn(event, 'rawPath') || Object.hasOwn(context, 'http');
  if (!isV2 && !Object.hasOwn(event, 'httpMethod') && !Object.hasOwn(event, 'requestContext')) return [];
  const { http } = context;
  const parts: readonly (readonly [name: string, isThere: boolean])[] = isV2
    ? [
        ['rawPath', typeof event.rawPath === 'string'],
        ['requestContext.http.method', isObject(http) && typeof http.method === 'string'],
      ]
    : [
        ['httpMethod', typeof event.httpMethod === 'string'],
        ['path', typeof event.path === 'string'],
        ['requestContext', isObject(event.requestContext)],
      ];
  return parts.filter(([, isThere]) => !isThere).map(([name]) => `"${name}"`);
}

/** The name of a source; a value that does not look like a name may be content. */
function quote(key: string, value: unknown): string {
  return typeof value === 'string' && /^[\w:./-]{1,64}$/.test(value) ? ` (${key} ${value})` : '';
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
