import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { readDocument } from '../shared/openapi/read-document.ts';
import { openLocalServer } from '../support/hosts/child-process.ts';
import { openApp } from '../support/hosts/in-process.ts';
import { PAGES, PROJECT } from '../support/project.ts';
import { TARGETS } from '../support/targets.ts';

const metaSchema = z.object({
  outputs: z.record(
    z.string(),
    z.object({
      inputs: z.record(z.string(), z.unknown()),
      imports: z.array(z.object({ path: z.string(), kind: z.string() })),
    }),
  ),
});

/** The sources of all files that are read when a bundle starts. */
function readAtStart(target: string): string[] {
  const text = readFileSync(join(PROJECT, 'dist/meta', `${target}.json`), 'utf8');
  const { outputs } = metaSchema.parse(JSON.parse(text));
  const reached = new Set(Object.keys(outputs).filter((path) => /index\.[mc]js$/.test(path)));
  for (const path of reached) {
    for (const { path: next, kind } of outputs[path]?.imports ?? [])
      if (kind === 'import-statement' && outputs[next]) reached.add(next);
  }
  return [...reached].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}));
}

const OF_DOCS = /shared\/docs\/(?!docs\.ts)|error-object/;

describe('a bundle', () => {
  it.each(TARGETS)('of $name brings the page with its files, and nothing else of Swagger UI', ({ name }) => {
    const files = readdirSync(join(PROJECT, 'dist', name, 'pages'));
    expect(files).toEqual(readdirSync(PAGES));
    expect(files.filter((file) => /swagger|docs/.test(file)).sort()).toEqual([
      'docs.css.br',
      'docs.html',
      'docs.html.csp',
      'docs.js.br',
      'swagger-ui-bundle.js.LICENSE.txt.br',
      'swagger-ui-bundle.js.br',
      'swagger-ui.css.br',
    ]);
  });

  const deployable = TARGETS.filter(({ isNpmPackage }) => !isNpmPackage);

  it.each(deployable)(
    'of $name reads what describes the server only when it is asked for that',
    ({ name }) => {
      const sources = readAtStart(name);
      expect(sources).toContain('shared/openapi/docs.ts');
      expect(sources.filter((path) => OF_DOCS.test(path))).toEqual([]);
    },
  );
});

/** The bundle has a part of what zod writes JSON schemas with. */
it('has the same description of the server in a bundle as in the sources', async () => {
  const [bundle, sources] = [await openLocalServer(), openApp()];
  const written = await readDocument(bundle);
  const { servers: _servers, ...expected } = await readDocument(sources);
  expect(written).toMatchObject(expected);
  expect(Object.keys(written.components.schemas)).toEqual(Object.keys(expected.components.schemas));
  await Promise.all([bundle.close(), sources.close()]);
});

describe('the files of the page', () => {
  const read = (name: string) => brotliDecompressSync(readFileSync(join(PAGES, `${name}.br`))).toString();

  it('ask for no source maps', () => {
    for (const name of ['swagger-ui-bundle.js', 'swagger-ui.css', 'docs.js', 'docs.css'])
      expect(read(name), name).not.toContain('sourceMappingURL');
  });

  it('are whole, with the licences of what is in them', () => {
    expect(read('swagger-ui-bundle.js')).toContain('SwaggerUIBundle');
    expect(read('swagger-ui-bundle.js').length).toBeGreaterThan(1_000_000);
    expect(read('swagger-ui.css')).toContain('.dark-mode');
    expect(read('docs.js')).toContain('openapi.json');
    expect(read('swagger-ui-bundle.js.LICENSE.txt')).toContain('Apache License');
  });
});
