import { DefaultStackSynthesizer } from 'aws-cdk-lib';

/**
 * CDK's usual synthesizer, but with a folder of this app's own in the account's asset bucket, so that a policy can
 * name what the app uploads and nothing else.
 *
 * Its getters are there for the compiler, which reads the optional properties of CDK's interface more strictly than
 * CDK's own class does. They have a value from the moment a stack takes the synthesizer.
 */
export class TernionSynthesizer extends DefaultStackSynthesizer {
  constructor() {
    super({ bucketPrefix: 'ternion/' });
  }

  override get bootstrapQualifier(): string {
    return taken(super.bootstrapQualifier);
  }

  override get cloudFormationExecutionRole(): string {
    return taken(super.cloudFormationExecutionRole);
  }

  override get lookupRole(): string {
    return taken(super.lookupRole);
  }
}

function taken(value: string | undefined): string {
  if (value === undefined) throw new Error('No stack has taken this synthesizer yet.');
  return value;
}
