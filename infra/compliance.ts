import { Stack, Validations } from 'aws-cdk-lib';
import { flattenCfnReference } from 'cdk-nag/lib/utils/flatten-cfn-reference.js';
import type { IConstruct } from 'constructs';

/**
 * Accepts one finding on one construct.
 *
 * @param finding the rule and, where a rule reports several findings, the exact one: `IAM5[Resource::*]`
 * @param reason why the finding does no harm here
 */
export function acknowledge(construct: IConstruct, finding: string, reason: string): void {
  // Without the name of the pack in front, cdk-nag 3 treats the id as that of another tool, and the finding stays.
  Validations.of(construct).acknowledge({ id: `AwsSolutions::AwsSolutions-${finding}`, reason });
}

/** Accepts that a role names resources with a wildcard. Each wildcard is a separate finding. */
export function acknowledgeWildcard(role: IConstruct, resource: string, reason: string): void {
  const arn = flattenCfnReference(Stack.of(role).resolve(resource));
  acknowledge(role, `IAM5[Resource::${arn}]`, reason);
}
