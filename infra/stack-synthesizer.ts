import { DefaultStackSynthesizer } from 'aws-cdk-lib';

/**
 * CDK's usual synthesizer, but with a separate folder for this app in the account's asset bucket, so that a policy can
 * name only what the app uploads.
 *
 * The getters are for the compiler, which is stricter about the optional properties of CDK's interface than CDK's own
 * class. They have a value as soon as a stack uses the synthesizer.
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
  if (value === undefined) throw new Error('No stack uses this synthesizer yet.');
  return value;
}
