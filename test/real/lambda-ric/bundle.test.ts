import { describeLambdaBundle } from '../../contracts/lambda-runtime.ts';
import { RUNNABLE } from '../../support/targets.ts';
import { awsRuntime } from './runtime.ts';

for (const { name } of RUNNABLE) {
  if (name.startsWith('aws')) describeLambdaBundle(`AWS's client`, name, awsRuntime);
}
