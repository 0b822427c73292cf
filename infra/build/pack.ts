// Packs the npm packages into dist/packages: node infra/build/pack.ts
import { join, relative } from 'node:path';
import { packFolder } from '../../functions/cli/deploy/npm.ts';
import { stagePackages } from './packages.ts';

const project = join(import.meta.dirname, '../..');
for (const folder of stagePackages(project)) {
  const { file, packedBytes, unpackedBytes } = packFolder(folder, join(project, 'dist/packages'));
  const inMb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  console.log(`${relative(process.cwd(), file)}: ${inMb(packedBytes)}, unpacked ${inMb(unpackedBytes)}`);
}
