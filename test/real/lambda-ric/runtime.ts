import { join } from 'node:path';
import type { LambdaOptions } from '../../support/lambda-environment.ts';
import { folderOf } from '../installation.ts';
import { counterpart } from './counterpart.ts';

/** AWS's own client, as the runtime of an environment. */
export function awsRuntime(): LambdaOptions['runtime'] {
  return [
    process.execPath,
    '--import',
    join(import.meta.dirname, 'native-client.ts'),
    join(folderOf(counterpart), 'node_modules/aws-lambda-ric/index.mjs'),
  ];
}
