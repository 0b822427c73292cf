import type { Counterpart } from '../counterpart.ts';
import { npmInstall } from '../npm-install.ts';

/**
 * The client of the runtime API that AWS runs functions with on Node. Its package builds C++ code when it is installed,
 * which needs autoconf, cmake and three minutes; that part is only how it speaks HTTP, and native-client.ts stands in.
 */
export const counterpart: Counterpart = {
  name: 'lambda-ric',
  pin: 'aws-lambda-ric 4.0.2',
  install: (folder) => [npmInstall(folder, 'aws-lambda-ric@4.0.2')],
};
