import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { writeNotices } from './notices.ts';
import { ownSourceMaps } from './own-source-maps.ts';

/**
 * Builds dist/aws-cdk: the constructs of the npm package, and the app that `ternion synth` runs. CDK itself is the one of
 * the project that uses them.
 */
export async function buildConstructs(projectFolder: string): Promise<void> {
  const output = join(projectFolder, 'dist/aws-cdk');
  rmSync(output, { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: {
      index: join(projectFolder, 'infra/aws-cdk.ts'),
      app: join(projectFolder, 'infra/project-app.ts'),
    },
    absWorkingDir: projectFolder,
    outdir: output,
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    target: 'node20',
    format: 'esm',
    bundle: true,
    splitting: true,
    chunkNames: '[hash]',
    minify: true,
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    mainFields: ['module', 'main'],
    external: ['aws-cdk-lib', 'constructs'],
    plugins: [ownSourceMaps()],
    metafile: true,
  });
  writeNotices(projectFolder, metafile, output);
  writeFileSync(join(projectFolder, 'dist/meta/aws-cdk.json'), JSON.stringify(metafile));
}
