import { join } from 'node:path';
import { assembleSimd } from './simd-functions.ts';

/** The file with the assembled module, as text that the bundler includes. */
export const SIMD_FILE = join(
  import.meta.dirname,
  '../../../shared/processing/image/steps/resample/simd-bytes.ts',
);

/** The content of that file. */
export function simdFile(): string {
  const base64 = Buffer.from(assembleSimd()).toString('base64');
  return `/** The functions of infra/build/simd/simd-functions.ts in base64. Written by "npm run generate:simd". */
export const SIMD_BASE64 =
  '${base64}';
`;
}
