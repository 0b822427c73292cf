import { writeFileSync } from 'node:fs';
import { SIMD_FILE, simdFile } from './simd-file.ts';

// Writes the WebAssembly module of the resampler anew, after a change of simd-functions.ts. Usage: npm run generate:simd
writeFileSync(SIMD_FILE, simdFile());
