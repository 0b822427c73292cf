import { describeLambdaBundle } from '../contracts/lambda-runtime.ts';
import { OWN_RUNTIME } from '../hosts/lambda-bundle.ts';
import { RUNNABLE } from './targets.ts';

for (const { name } of RUNNABLE) {
  if (name.startsWith('aws')) describeLambdaBundle('our own client', name, () => OWN_RUNTIME);
}
