// Builds dist/: the pages for browsers, and one deployable folder per host and platform. Usage: node esbuild.config.mjs [target ...]
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { buildFunction, writeArchive } from './functions/cli/deploy/build-function.ts';
import { archiveOf } from './functions/cli/deploy/function-targets.ts';
import { findPackage } from './functions/cli/deploy/native-packages.ts';
import { findConfig } from './functions/cli/project/own-code.ts';
import { azurePlugin } from './infra/build/azure-plugin.ts';
import { buildConstructs } from './infra/build/build-constructs.ts';
import { buildPages } from './infra/build/build-pages.ts';
import { httpPlugin } from './infra/build/builtins.ts';
import { honoPlugin } from './infra/build/hono-plugin.ts';
import { nativePackagesOf, placesOf, stageRuntime } from './infra/build/native-files.ts';
import { nativePlugin, npmNativePlugin } from './infra/build/native-plugin.ts';
import { describeLicences, writeNotices } from './infra/build/notices.ts';
import { ownSourceMaps } from './infra/build/own-source-maps.ts';
import { sharpPlugin } from './infra/build/sharp-plugin.ts';
import { shrink } from './infra/build/shrink.ts';
import { startPlugin } from './infra/build/start-plugin.ts';
import { findTargets } from './infra/build/targets.ts';
import { copyPublicTypes } from './infra/build/types/public-types.ts';
import { yamlPlugin } from './infra/build/yaml-plugin.ts';
import { zodPlugin } from './infra/build/zod-plugin.ts';

/** @typedef {import('./functions/cli/deploy/native-packages.ts').NativePackage} NativePackage */
/** @typedef {ReadonlyMap<string, readonly NativePackage[]>} Natives */
/** @typedef {import('./infra/build/targets.ts').Target} Target */

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
const asked = targets.filter(({ name }) => names.length === 0 || names.includes(name));
for (const host of new Set(asked.map((target) => target.host))) {
  const built = asked.filter((target) => target.host === host);
  await buildHost(built[0], built);
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

/**
 * Builds the targets of one host, which share a bundle.
 *
 * @param {Target} host one of them
 * @param {readonly import('./infra/build/targets.ts').Target[]} built those that are asked for
 */
async function buildHost(host, built) {
  for (const platform of host.platforms) stageRuntime(project, platform);
  const output = join(dist, host.isNpmPackage ? host.host : `bundles/${host.host}`);
  const natives = host.isNpmPackage ? new Map() : nativesOf(host);
  const metafile = await bundle(host, output, [...natives.values()].flat());
  // Next to the targets, not in them: only the tests and the packages read it.
  mkdirSync(join(dist, 'meta'), { recursive: true });
  for (const { name } of built) writeFileSync(join(dist, 'meta', `${name}.json`), JSON.stringify(metafile));
  writeNotices(project, metafile, output);
  cpSync(pages, join(output, 'pages'), { recursive: true });
  if (host.isNpmPackage) {
    copyPublicTypes(project);
    await buildConstructs(project);
  } else {
    await buildTargets(host, built, output, natives);
  }
  for (const { name } of built) console.log(`built dist/${name}`);
}

/**
 * Writes the archive of a bundle, and makes targets from it as `ternion build` does.
 *
 * @param {Target} host
 * @param {readonly Target[]} built
 * @param {string} output of the bundle
 * @param {Natives} natives
 */
async function buildTargets(host, built, output, natives) {
  // The npm package has the archives of those that are deployed.
  const functions = join(dist, host.isDeployed ? 'functions' : 'bundles');
  const places = { ...placesOf(project), functions };
  for (const file of host.files) cpSync(join(host.folder, file), join(output, file));
  if (host.packageJson) writePackageJson(host, output);
  const recipe = new Map();
  for (const [platform, packages] of natives) {
    const folders = [];
    for (const each of packages) folders.push(await findPackage(each, places));
    recipe.set(platform, { packages, notices: describeLicences(project, folders) });
  }
  writeArchive(output, archiveOf(functions, host.host), Object.fromEntries(recipe));
  const config = findConfig(undefined, project);
  const models = host.isDeployed ? join(project, 'models') : undefined;
  for (const target of built)
    await buildFunction(target, join(dist, target.name), { models, config }, places);
}

/**
 * What a bundle needs beside it, by platform.
 *
 * @param {Target} host
 * @returns {Natives}
 */
function nativesOf(host) {
  return new Map(
    host.platforms.map((platform) => [platform, nativePackagesOf(project, platform, host.koffi)]),
  );
}

/**
 * @param {Target} host
 * @param {string} output is replaced
 * @param {readonly NativePackage[]} natives
 */
async function bundle(host, output, natives) {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  const { metafile } = await build({
    entryPoints: {
      index: join(host.folder, 'index.ts'),
      trial: join(project, 'functions/trial/index.ts'),
      ...(host.isNpmPackage
        ? {
            define: join(project, 'functions/define.ts'),
            library: join(host.folder, 'library/index.ts'),
          }
        : {}),
    },
    ...optionsOf(host, output),
    // Modules that are imported on demand (image decoder, S3 client) become separate files, parsed only when needed.
    splitting: true,
    // They import each other more than a thousand times.
    chunkNames: '[hash]',
    mainFields: ['module', 'main'],
    // Only browsers load bowser.
    external: [
      'bowser',
      ...host.omitted,
      ...host.external,
      ...(host.isNpmPackage ? ['sharp', 'esbuild'] : []),
    ],
    plugins: [
      host.isNpmPackage
        ? npmNativePlugin(join(host.folder, 'runtime-package.ts'))
        : nativePlugin(project, natives),
      httpPlugin(),
      sharpPlugin(),
      zodPlugin(),
      yamlPlugin(),
      honoPlugin(),
      azurePlugin(),
      startPlugin(project, join(host.folder, 'index.ts')),
      ownSourceMaps(),
    ],
    banner: { js: REQUIRE },
  });
  // Each in one file: what they had in common with the others would be one more file of each start.
  await build({
    entryPoints: host.entries.map((name) => join(host.folder, `${name}.ts`)),
    ...optionsOf(host, output),
    plugins: [zodPlugin()],
  });
  dropRequire(output);
  return shrink(output, targetOf(host), metafile);
}

/**
 * @param {Target} host
 * @param {string} output
 * @returns {import('esbuild').BuildOptions & { metafile: true }}
 */
function optionsOf(host, output) {
  return {
    outdir: output,
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    target: targetOf(host),
    format: 'esm',
    bundle: true,
    minify: true,
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
  };
}

/**
 * The oldest version of Node that runs the bundle.
 *
 * @param {Target} host
 */
function targetOf(host) {
  return host.isNpmPackage ? 'node20' : 'node22';
}

/** @param {Target} target @param {string} output */
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
