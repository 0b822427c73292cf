import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { PROJECT } from '../../../support/project.ts';

const decode = `
  import { readLibsvm } from '${PROJECT}/shared/protocols/sagemaker/read-libsvm.ts';
  import { contract, spec } from '${PROJECT}/test/support/make-contract.ts';
  import { testLimits } from '${PROJECT}/test/support/test-budget.ts';
  const lines = readLibsvm(Buffer.from('1 2:7' + ' 1:1'.repeat(4_000_000)), testLimits());
  try {
    lines.decode(0, 1, contract([spec('x', 'FP32', [-1, 4])]));
  } catch (error) {
    console.log(error.message);
  }
`;

it('reads no more cells of a sparse row than a model has columns: millions of them would not fit', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--max-old-space-size=32',
    '--input-type=module',
    '-e',
    decode,
  ]);
  expect(stdout).toBe('Line 1 has the index 1 twice; expected it once.\n');
});
