import { writeFileSync } from 'node:fs';
import { SIMD_FILE, simdFile } from './simd-file.ts';

// Writes the WebAssembly module of the resampler. Run it after a change of simd-functions.ts: npm run generate:simd
writeFileSync(SIMD_FILE, simdFile());
