import { describeLambdaBundle } from '../contracts/lambda-runtime.ts';
import { OWN_RUNTIME } from '../support/hosts/lambda-bundle.ts';
import { RUNNABLE } from '../support/targets.ts';

for (const { name } of RUNNABLE) {
  if (name.startsWith('aws')) describeLambdaBundle('our own client', name, () => OWN_RUNTIME);
}
