import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createLambdaHandler } from '../../../functions/aws/handler.ts';
import { get } from '../../contracts/exchanges.ts';
import { createTestHost } from '../../support/hosts/in-process.ts';
import { toEvent } from '../../support/hosts/lambda-events.ts';
import { invocationOf } from '../../support/lambda-invocation.ts';

const host = createTestHost();
const handler = createLambdaHandler(host);
const handle = (event: unknown) => handler(event, invocationOf('invoke-id'));
afterAll(() => host.app.close());

const EXPECTED =
  'expected an HTTP event of API Gateway, a Function URL or a load balancer, or an object with one of "model", "features", "instances", "image", "text", "inputs", "table".';

/** Content of an event that must be neither in the error nor in the log, even if Ternion could serve it. */
const SECRET = '{"model":"iris","features":[5.1,3.5,1.4,0.2]}';

const records = (count: number, record: object) => ({ Records: Array.from({ length: count }, () => record) });
const [restApi, httpApi, loadBalancer] = (['rest-api', 'http-api', 'load-balancer'] as const).map((source) =>
  Object.entries(toEvent(source, get('/health'))),
);
const without = (entries: [string, unknown][] = [], ...keys: string[]) =>
  Object.fromEntries(entries.filter(([key]) => !keys.includes(key)));

describe('an event that cannot be served', () => {
  it.each([
    [
      'an SQS event with 3 records (eventSource aws:sqs)',
      records(3, { eventSource: 'aws:sqs', body: SECRET }),
    ],
    [
      'an SNS event with 1 record (eventSource aws:sns)',
      records(1, { EventSource: 'aws:sns', Sns: { Message: SECRET } }),
    ],
    [
      'an S3 event with 2 records (eventSource aws:s3)',
      records(2, { eventSource: 'aws:s3', s3: { object: { key: SECRET } } }),
    ],
    ['an SES event with 1 record (eventSource aws:ses)', records(1, { eventSource: 'aws:ses', ses: {} })],
    [
      'a DynamoDB event with 1 record (eventSource aws:dynamodb)',
      records(1, { eventSource: 'aws:dynamodb', dynamodb: {} }),
    ],
    [
      'a Kinesis event with 100 records (eventSource aws:kinesis)',
      records(100, { eventSource: 'aws:kinesis', kinesis: {} }),
    ],
    [
      'a CodeCommit event with 1 record (eventSource aws:codecommit)',
      records(1, { eventSource: 'aws:codecommit' }),
    ],
    ['a CloudFront event with 1 record', records(1, { cf: { request: { uri: SECRET } } })],
    ['an event with 1 record (eventSource aws:new-service)', records(1, { eventSource: 'aws:new-service' })],
    ['an event with 1 record', records(1, { eventSource: SECRET })],
    ['an object with the keys "Records"', records(0, {})],
    [
      'a Kafka event with 3 records (eventSource aws:kafka)',
      { eventSource: 'aws:kafka', records: { 'a-0': [{ value: SECRET }, {}], 'a-1': [{}] } },
    ],
    [
      'a Kafka event with 1 record (eventSource SelfManagedKafka)',
      { eventSource: 'SelfManagedKafka', records: { 'a-0': [{}] } },
    ],
    [
      'a RabbitMQ event with 0 records (eventSource aws:rmq)',
      { eventSource: 'aws:rmq', rmqMessagesByQueue: {} },
    ],
    [
      'an EventBridge event (source aws.events)',
      { version: '0', 'detail-type': 'Scheduled Event', source: 'aws.events', detail: {} },
    ],
    [
      'an EventBridge event (source aws.s3)',
      { 'detail-type': 'Object Created', source: 'aws.s3', detail: { text: SECRET } },
    ],
    ['a CloudWatch Logs event', { awslogs: { data: SECRET } }],
    [
      'a CloudWatch alarm (source aws.cloudwatch)',
      { source: 'aws.cloudwatch', alarmArn: 'arn', alarmData: {} },
    ],
    [
      'a Firehose event',
      { invocationId: 'i', deliveryStreamArn: 'arn', region: 'eu-west-1', records: [{ data: SECRET }] },
    ],
    ['an S3 Batch event', { invocationSchemaVersion: '1.0', invocationId: 'i', job: { id: 'j' }, tasks: [] }],
    ['an S3 Object Lambda event', { xAmzRequestId: 'i', getObjectContext: {}, userRequest: {} }],
    [
      'a Cognito event',
      { version: '1', triggerSource: 'PreSignUp_SignUp', userPoolId: 'p', request: {}, response: {} },
    ],
    [
      'an AppSync event',
      { arguments: { text: SECRET }, identity: null, source: null, request: { headers: {} }, info: {} },
    ],
    ['an AppSync event', { typeName: 'Query', fieldName: 'predict', arguments: {}, source: {}, request: {} }],
    ['an authorizer event', { authorizationToken: SECRET, requestContext: { apiId: 'a' } }],
    ['an authorizer event', { type: 'TOKEN', methodArn: 'arn', authorizationToken: SECRET }],
    ['an authorizer event', { ...without(restApi), type: 'REQUEST', methodArn: 'arn' }],
    ['an authorizer event', { ...without(httpApi), type: 'REQUEST', routeArn: 'arn' }],
    [
      'an authorizer event',
      { token: SECRET, signatureVerified: false, protocols: ['http'], protocolData: {} },
    ],
    [
      'a Lex event',
      { messageVersion: '1.0', invocationSource: 'FulfillmentCodeHook', inputTranscript: SECRET, bot: {} },
    ],
    ['a Connect event', { Details: { ContactData: {} }, Name: 'ContactFlowEvent' }],
    ['a CodePipeline event', { 'CodePipeline.job': { id: 'i' } }],
    ['a CloudFormation event', { RequestType: 'Create', ResponseURL: 'https://example.org', StackId: 's' }],
    ['a Secrets Manager event', { Step: 'createSecret', SecretId: 's', ClientRequestToken: 't' }],
    [
      'a WebSocket event',
      { requestContext: { connectionId: 'c', routeKey: '$default', eventType: 'MESSAGE' }, body: SECRET },
    ],
    ['a VPC Lattice event', { raw_path: '/predict', method: 'POST', headers: {}, body: SECRET }],
    [
      'a VPC Lattice event',
      { version: '2.0', path: '/predict', method: 'POST', requestContext: { serviceNetworkArn: 'arn' } },
    ],
    ['an HTTP event without "requestContext"', without(restApi, 'requestContext')],
    ['an HTTP event without "path"', without(restApi, 'path')],
    ['an HTTP event without "httpMethod"', without(loadBalancer, 'httpMethod')],
    ['an HTTP event without "httpMethod" and "path"', { requestContext: { elb: {} }, body: SECRET }],
    ['an HTTP event without "rawPath"', without(httpApi, 'rawPath')],
    [
      'an HTTP event without "requestContext.http.method"',
      { ...without(httpApi), requestContext: { http: {} } },
    ],
    ['an HTTP event without "requestContext.http.method"', { rawPath: '/predict', body: SECRET }],
    ['an object with the keys "body", "headers"', { body: SECRET, headers: {} }],
    ['an object with the keys "key1", "key2"', { key1: SECRET, key2: 'value2' }],
    ['an object with the keys "version"', { version: '1' }],
    ['an object with no keys', {}],
    ['an array of 1', [{ features: [5.1, 3.5, 1.4, 0.2] }]],
    ['null', null],
    ['nothing', undefined],
    ['a string', SECRET],
    ['a number', 5],
  ])('such as %s makes the invocation fail', async (words, event) => {
    await expect(handle(event)).rejects.toMatchObject({
      name: 'UnknownEventError',
      message: `The function was invoked with ${words}; ${EXPECTED}`,
    });
  });
});

describe('an HTTP event', () => {
  it.each(['__proto__', 'constructor', 'toString'])(
    'with the method %s changes no object',
    async (method) => {
      for (const path of ['/', '/models/iris', '/nothing']) {
        const { requestContext } = Object.fromEntries(restApi ?? []);
        const answer = await handle({ requestContext, httpMethod: method, path });
        expect(answer).toMatchObject({ statusCode: path === '/nothing' ? 404 : 405 });
        expect('params' in {}).toBe(false);
      }
    },
  );

  it('is answered with any content', async () => {
    const anything = fc.oneof(fc.anything(), fc.jsonValue(), fc.constant(undefined));
    const context = { requestId: anything, stage: anything };
    const parts = {
      headers: anything,
      multiValueHeaders: anything,
      queryStringParameters: anything,
      multiValueQueryStringParameters: anything,
      rawQueryString: anything,
      cookies: anything,
      body: anything,
      isBase64Encoded: anything,
    };
    const name = fc.string({ unit: 'binary' });
    const events = fc.oneof(
      fc.record({
        ...parts,
        rawPath: name,
        requestContext: fc.record({ ...context, http: fc.record({ method: name }) }),
      }),
      fc.record({ ...parts, httpMethod: name, path: name, requestContext: fc.record(context) }),
      fc.record({ ...parts, httpMethod: name, path: name, requestContext: fc.record({ elb: fc.object() }) }),
    );
    await fc.assert(
      fc.asyncProperty(events, async (event) => {
        expect(await handle(event)).toMatchObject({
          statusCode: expect.any(Number),
          body: expect.any(String),
        });
      }),
      { numRuns: 200 },
    );
  });
});
