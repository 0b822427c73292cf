import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** The parser of colours, for which images here have no use: nothing is drawn, and nothing has a background. */
const COLOURS = '@img/colour';

/** The methods that image-file.ts calls; those that begin with a line are called by others. */
const METHODS = ['metadata', 'pipelineColourspace', 'toColourspace', 'extract', 'resize', 'raw', 'toBuffer'];

/** The options of an image from the first that image-file.ts does not use, and what follows the last of them. */
const UNUSED_OPTIONS = [
  '    // Raw pixel input\n',
  '  } else if (is.defined(inputOptions)) {\n    throw new Error(`Invalid input options',
] as const;

/** The modules of sharp that add methods. */
const DECORATORS = /sharp[\\/]dist[\\/](?:channel|colour|input|operation|output|resize)\.mjs$/;

/**
 * Leaves out of bundles what sharp has and nobody calls here: 25 kB that read colours, 25 kB that look for a libvips of
 * the system and compare its version, and the methods that draw, write files or change colours, another 30 kB, and 9 kB of
 * options. A bundle has the addon of its platform, and says where it is.
 */
export function sharpPlugin(): Plugin {
  return {
    name: 'sharp',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^@img\/colour$/ }, ({ path }) => ({ path, namespace: 'sharp' }));
      onLoad({ filter: /.*/, namespace: 'sharp' }, () => ({
        contents: `export default () => { throw new Error('${COLOURS} is not part of this bundle'); };`,
      }));
      onLoad({ filter: DECORATORS }, async ({ path }) => ({
        contents: keepMethods(withoutOptions(await readFile(path, 'utf8'), path), path),
      }));
      onLoad({ filter: /sharp[\\/]dist[\\/]composite\.mjs$/ }, async ({ path }) => ({
        contents: withoutComposite(await readFile(path, 'utf8'), path),
      }));
      // The addons of bundles are for glibc.
      onLoad({ filter: /detect-libc[\\/]lib[\\/]detect-libc\.js$/ }, () => ({
        contents: "export default { GLIBC: 'glibc', MUSL: 'musl', familySync: () => 'glibc' };",
      }));
      // Other functions of it are called where sharp looks for its addon, which is replaced.
      onLoad({ filter: /sharp[\\/]dist[\\/]libvips\.mjs$/ }, () => ({
        contents: "export default { runtimePlatformArch: () => [process.platform, process.arch].join('-') };",
      }));
    },
  };
}

/** @throws Error when the module adds something else than the methods that draw */
function withoutComposite(source: string, path: string): string {
  const [, body = ''] = /^export default \(Sharp\) => \{([^}]*)\}/m.exec(source) ?? [];
  const added = body.split(';').map((line) => line.trim());
  if (added.join(';') !== 'Sharp.prototype.composite = composite;Sharp.blend = blend;')
    throw new Error(`${path} has changed; see what it adds now`);
  return 'export default () => {};';
}

/**
 * Of images that are made from numbers, texts or other images, and of formats that are not decoded here.
 *
 * @throws Error when the module has others
 */
function withoutOptions(source: string, path: string): string {
  if (!/input\.mjs$/.test(path)) return source;
  const [start, end] = UNUSED_OPTIONS.map((text) => source.indexOf(text));
  const kept = source.slice(0, start);
  if (start === undefined || end === undefined || start < 0 || end < start || !/limitInputPixels/.test(kept))
    throw new Error(`${path} has changed; see which options it has now`);
  return kept + source.slice(end);
}

/** @throws Error when the module does not list its methods as expected */
function keepMethods(source: string, path: string): string {
  const list = /Object\.assign\(Sharp\.prototype, \{([^}]*)\}\)/;
  const [, names = ''] = list.exec(source) ?? [];
  if (names === '') throw new Error(`${path} has changed; see how it adds methods now`);
  const kept = names
    .replaceAll(/\/\/.*$/gm, '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name.startsWith('_') || METHODS.includes(name));
  return source.replace(list, `Object.assign(Sharp.prototype, { ${kept.join(', ')} })`);
}
