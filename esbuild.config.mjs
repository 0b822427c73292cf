// Builds dist/: the pages for browsers, and one deployable folder per host and platform. Usage: node esbuild.config.mjs [target ...]
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { compileConfig } from './functions/cli/project/compile-config.ts';
import { findConfig } from './functions/cli/project/own-code.ts';
import { OWN_CODE_FILE } from './functions/own-code.ts';
import { azurePlugin } from './infra/build/azure-plugin.ts';
import { buildConstructs } from './infra/build/build-constructs.ts';
import { buildPages } from './infra/build/build-pages.ts';
import { httpPlugin } from './infra/build/builtins.ts';
import { koffiFolders, sharpFolders, stageNativeFiles, stageRuntime } from './infra/build/native-files.ts';
import { nativePlugin, npmNativePlugin } from './infra/build/native-plugin.ts';
import { writeNotices } from './infra/build/notices.ts';
import { ownSourceMaps } from './infra/build/own-source-maps.ts';
import { sharpPlugin } from './infra/build/sharp-plugin.ts';
import { startPlugin } from './infra/build/start-plugin.ts';
import { findTargets } from './infra/build/targets.ts';
import { copyPublicTypes } from './infra/build/types/public-types.ts';
import { zodPlugin } from './infra/build/zod-plugin.ts';

const project = import.meta.dirname;
const dist = join(project, 'dist');
const pages = join(dist, 'pages');
const targets = findTargets(join(project, 'functions'));
const names = process.argv.slice(2);
const unknown = names.filter((name) => !targets.some((target) => target.name === name));
if (unknown.length > 0) {
  console.error(
    `No target ${unknown.join(', ')}; the targets are ${targets.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(1);
}

/** What CommonJS packages and native addons are loaded with. */
const REQUIRE = "const require=process.getBuiltinModule('module').createRequire(import.meta.url);";

await buildPages(project, pages);
for (const target of targets) {
  if (names.length > 0 && !names.includes(target.name)) continue;
  await buildTarget(target);
}

/**
 * Most files load nothing with `require`. An empty line in its place keeps their source maps right.
 *
 * @param {string} output
 */
function dropRequire(output) {
  for (const name of globSync('*.mjs', { cwd: output })) {
    const path = join(output, name);
    const text = readFileSync(path, 'utf8');
    const body = text.slice(REQUIRE.length);
    if (text.startsWith(REQUIRE) && !/\brequire\b/.test(body)) writeFileSync(path, body);
  }
}

/** @param {import('./infra/build/targets.ts').Target} target */
async function buildTarget(target) {
  const output = join(dist, target.name);
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  if (target.isNpmPackage) stageRuntime(project, target.platform);
  else stageNativeFiles(project, target.platform, output, target.koffi);
  const { metafile } = await build({
    entryPoints: {
      index: join(target.folder, 'index.ts'),
      trial: join(project, 'functions/trial/index.ts'),
      ...(target.isNpmPackage
        ? {
            define: join(project, 'functions/define.ts'),
            library: join(target.folder, 'library/index.ts'),
          }
        : {}),
    },
    outdir: output,
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    target: 'node22',
    format: 'esm',
    bundle: true,
    minify: true,
    // Modules that are imported on demand (image decoder, S3 client) become separate files, parsed only when needed.
    splitting: true,
    // They import each other more than a thousand times.
    chunkNames: '[hash]',
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    mainFields: ['module', 'main'],
    // Only browsers load bowser.
    external: [
      'bowser',
      ...target.omitted,
      ...target.external,
      ...(target.isNpmPackage ? ['sharp', 'esbuild'] : []),
    ],
    plugins: [
      target.isNpmPackage
        ? npmNativePlugin(join(target.folder, 'runtime-package.ts'))
        : nativePlugin(output, target.platform),
      httpPlugin(),
      sharpPlugin(),
      zodPlugin(),
      azurePlugin(),
      startPlugin(project, join(target.folder, 'index.ts')),
      ownSourceMaps(),
    ],
    banner: { js: REQUIRE },
    metafile: true,
  });
  dropRequire(output);
  // The command compiles the own code of the folder in which it is called.
  const config = target.isNpmPackage ? undefined : findConfig(undefined, project);
  if (config) await compileConfig(config, join(output, OWN_CODE_FILE));
  // npm installs sharp and koffi together with their licences.
  const natives = target.isNpmPackage
    ? []
    : [
        ...sharpFolders(project, target.platform).values(),
        ...(target.koffi ? koffiFolders(project, target.platform) : []),
      ];
  writeNotices(project, metafile, natives, output);
  for (const file of target.files) cpSync(join(target.folder, file), join(output, file));
  if (target.packageJson) writePackageJson(target, output);
  cpSync(pages, join(output, 'pages'), { recursive: true });
  if (target.models) copyModels(output);
  // Next to the targets, not in them: only the tests read it.
  mkdirSync(join(dist, 'meta'), { recursive: true });
  writeFileSync(join(dist, 'meta', `${target.name}.json`), JSON.stringify(metafile));
  if (target.isNpmPackage) {
    copyPublicTypes(project);
    await buildConstructs(project);
  }
  console.log(`built dist/${target.name}`);
}

/** @param {import('./infra/build/targets.ts').Target} target @param {string} output */
function writePackageJson(target, output) {
  const { name, version, license, dependencies, devDependencies } = JSON.parse(
    readFileSync(join(project, 'package.json'), 'utf8'),
  );
  const pinned = Object.fromEntries(
    target.dependencies.map((dependency) => [
      dependency,
      { ...dependencies, ...devDependencies }[dependency],
    ]),
  );
  const content = { name, version, license, private: true, ...target.packageJson, dependencies: pinned };
  writeFileSync(join(output, 'package.json'), `${JSON.stringify(content, null, 2)}\n`);
}

/** Copies the models without the files that made them. @param {string} output */
function copyModels(output) {
  cpSync(join(project, 'models'), join(output, 'models'), {
    recursive: true,
    filter: (path) => !/\.py$|requirements\.txt$|README\.md$/.test(path),
  });
}
