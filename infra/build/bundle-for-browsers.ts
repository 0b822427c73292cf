import { build, type Format } from 'esbuild';

/** Browsers of the last three years. */
const BROWSERS = ['chrome117', 'edge117', 'firefox121', 'safari16.4'];

/** A script or a style with all its imports, minified. */
export async function bundleForBrowsers(entry: string, format: Format = 'iife'): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format,
    charset: 'utf8',
    target: BROWSERS,
    legalComments: 'none',
  });
  return (outputFiles[0]?.text ?? '').trim();
}
