import { RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/**
 * A log group whose entries expire.
 *
 * Lambda would create one whose entries never expire. With our own group, a policy can also grant access to this group
 * only. It is deleted with the stack, because its content would expire soon anyway.
 */
export function createLogGroup(scope: Construct, id: string, retention: RetentionDays): LogGroup {
  return new LogGroup(scope, id, { retention, removalPolicy: RemovalPolicy.DESTROY });
}

/**
 * Allows writing to one log group. CloudFormation's ARN of a log group already ends in `:*`, its log streams, so no
 * wildcard is added here.
 */
export function writeLogStatement(logGroup: LogGroup): PolicyStatement {
  return new PolicyStatement({
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resources: [logGroup.logGroupArn],
  });
}
