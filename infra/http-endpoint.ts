import { Stack } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  HttpApi,
  HttpNoneAuthorizer,
  HttpStage,
  LogGroupLogDestination,
  PayloadFormatVersion,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge } from './compliance.ts';
import { createLogGroup } from './log-group.ts';

/** How many requests an endpoint accepts; the others get 429. */
export interface Throttling {
  /** Requests per second on average. */
  readonly ratePerSecond: number;
  /** Requests accepted at once. */
  readonly burst: number;
}

export interface HttpEndpointProps {
  readonly handler: IFunction;
  readonly authorization: 'iam' | 'none';
  readonly throttling: Throttling;
  readonly logRetentionDays: RetentionDays;
}

/** One JSON object per request. The caller is empty unless requests are signed. */
const ACCESS_LOG_FORMAT = JSON.stringify({
  requestId: '$context.requestId',
  time: '$context.requestTime',
  caller: '$context.identity.caller',
  sourceIp: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  path: '$context.path',
  status: '$context.status',
  responseLength: '$context.responseLength',
  responseLatencyMs: '$context.responseLatency',
  integrationLatencyMs: '$context.integrationLatency',
  integrationStatus: '$context.integrationStatus',
  integrationError: '$context.integrationErrorMessage',
  error: '$context.error.message',
});

/** The HTTP API: every method and path goes to the function. */
export class HttpEndpoint extends Construct {
  readonly api: HttpApi;
  readonly stage: HttpStage;

  constructor(scope: Construct, id: string, props: HttpEndpointProps) {
    super(scope, id);
    this.api = new HttpApi(this, 'Api', {
      apiName: Stack.of(this).stackName,
      description: 'Ternion: serves ONNX models',
      // The default stage of HttpApi has neither throttling nor access logs.
      createDefaultStage: false,
      defaultAuthorizer: props.authorization === 'iam' ? new HttpIamAuthorizer() : new HttpNoneAuthorizer(),
      defaultIntegration: new HttpLambdaIntegration('Handler', props.handler, {
        payloadFormatVersion: PayloadFormatVersion.VERSION_2_0,
      }),
    });
    if (props.authorization === 'none') {
      acknowledge(
        this.api,
        'APIG4',
        'The operator opened the API with apiAuthorization "none", for clients that cannot sign requests. It ' +
          'answers inferences only, changes nothing, and throttling bounds its cost.',
      );
    }
    this.stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      autoDeploy: true,
      throttle: { rateLimit: props.throttling.ratePerSecond, burstLimit: props.throttling.burst },
      accessLogSettings: {
        destination: new LogGroupLogDestination(createLogGroup(this, 'AccessLogs', props.logRetentionDays)),
        format: AccessLogFormat.custom(ACCESS_LOG_FORMAT),
      },
    });
  }
}
