import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { zipFolder } from '../../functions/cli/deploy/zip-folder.ts';
import { PAGES, PROJECT } from '../support/project.ts';
import { TARGETS } from '../support/targets.ts';

const MEGABYTE = 1_000_000;
/** Lambda's own limits are in units of 2^20 bytes. */
const LAMBDA_MEGABYTE = 1024 * 1024;
const ZIP_CEILINGS: Readonly<Record<string, number>> = {
  x64: 27 * LAMBDA_MEGABYTE,
  arm64: 19.8 * LAMBDA_MEGABYTE,
  // With koffi's addon, which Lambda does not need.
  'container-arm64': 20.2 * LAMBDA_MEGABYTE,
};
const JS_CEILINGS: Readonly<Record<string, number>> = {
  aws: 0.98 * MEGABYTE,
  gcp: 0.98 * MEGABYTE,
  azure: 1 * MEGABYTE,
  // S3 with all kinds of credentials.
  container: 1.31 * MEGABYTE,
};
/** What a page may weigh on its way to a phone, in bytes. */
const PAGE_CEILING = 15_000;
const ELF_MACHINES: Readonly<Record<string, number>> = { x64: 0x3e, arm64: 0xb7 };

/** Packages that belong to one host only. */
const FOREIGN: Readonly<Record<string, RegExp>> = {
  aws: /node_modules\/(@azure|@google-cloud|express)\//,
  gcp: /node_modules\/(@azure|@aws-sdk|@smithy|@google-cloud|express)\//,
  azure: /node_modules\/(@aws-sdk|@smithy|@google-cloud|express)\//,
  container: /node_modules\/(@azure|@google-cloud|express)\//,
};

const deployable = TARGETS.filter(({ name, isNpmPackage }) => name !== 'local' && !isNpmPackage);

describe.each(deployable)('dist/$name', ({ name, platform, isDeployed }) => {
  const folder = join(PROJECT, 'dist', name);
  const [cloud = ''] = name.split('-');
  const [, cpu = ''] = platform.split('-');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const scripts = files.filter((file) => /\.[mc]?js$/.test(file));
  const inputs = readInputs(name);

  it('stays under its ceilings as an archive and in JavaScript', async () => {
    const temporary = await mkdtemp(join(tmpdir(), 'ternion-zip-'));
    const zipBytes = await zipFolder(folder, join(temporary, 'bundle.zip'));
    await rm(temporary, { recursive: true });
    const jsBytes = scripts.reduce((total, file) => total + statSync(file).size, 0);
    expect(zipBytes).toBeLessThanOrEqual(ZIP_CEILINGS[name] ?? ZIP_CEILINGS[cpu] ?? 0);
    expect(jsBytes).toBeLessThanOrEqual(JS_CEILINGS[cloud] ?? 0);
  });

  it('has its entry, source maps, pages and, for a cloud, models, and no node_modules', () => {
    expect(existsSync(join(folder, 'index.mjs'))).toBe(true);
    for (const script of scripts) expect(existsSync(`${script}.map`), script).toBe(true);
    expect(existsSync(join(folder, 'models/iris/1/model.onnx'))).toBe(isDeployed);
    for (const page of readdirSync(PAGES)) {
      expect(readFileSync(join(folder, 'pages', page)).equals(readFileSync(join(PAGES, page))), page).toBe(
        true,
      );
    }
    expect(
      files.filter((file) => /node_modules|\.py$|requirements\.txt$/.test(file.slice(folder.length))),
    ).toEqual([]);
  });

  it('holds native libraries for its processor only', () => {
    const libraries = files.filter((file) => file.includes('/native/'));
    expect(libraries.map((file) => file.split('/').at(-1))).toEqual(
      expect.arrayContaining([
        'onnxruntime_binding.node',
        'libonnxruntime.so.1',
        expect.stringMatching(new RegExp(`^sharp-${platform}-.*\\.node$`)),
        expect.stringMatching(/^libvips-cpp\.so/),
      ]),
    );
    for (const library of libraries)
      expect(readFileSync(library).readUInt16LE(18), library).toBe(ELF_MACHINES[cpu]);
  });

  it('brings no other host and no locale of zod but English', () => {
    expect(inputs.filter((input) => FOREIGN[cloud]?.test(input))).toEqual([]);
    const locales = inputs.filter((input) => /zod\/v4\/locales\//.test(input));
    expect(locales.every((input) => /locales\/(en|index)\.js$/.test(input))).toBe(true);
    expect(locales).not.toContainEqual(expect.stringMatching(/locales\/index/));
  });

  it('keeps code that only texts need out of the files that every start reads', () => {
    const chunks = scripts.filter((file) => readFileSync(file, 'utf8').includes('MergedWithPrevious'));
    expect(chunks).toHaveLength(1);
    const [chunk = ''] = chunks;
    const importers = scripts.filter((file) =>
      readFileSync(file, 'utf8').includes(`import("./${basename(chunk)}")`),
    );
    expect(importers).not.toEqual([]);
    expect(listStaticImports(join(folder, 'index.mjs'))).not.toContain(chunk);
  });

  it('names no path of the machine that built it', () => {
    for (const file of files.filter((name) => /\.([mc]js|map|json|html|csp)$/.test(name))) {
      expect(readFileSync(file, 'utf8').includes(PROJECT), file).toBe(false);
    }
  });
});

describe.each(['playground', 'curves', 'releases'])('the page %s', (name) => {
  const page = readFileSync(join(PAGES, `${name}.html`), 'utf8');

  it('is one file that stays under its ceiling, compressed', () => {
    expect(page).toContain(`<title>Ternion ${name}</title>`);
    expect(gzipSync(page, { level: 9 }).length).toBeLessThanOrEqual(PAGE_CEILING);
  });

  it('needs nothing from elsewhere and has nothing that its policy forbids', () => {
    expect(page.match(/<script[ >]/g)).toHaveLength(1);
    expect(page.match(/<style>/g)).toHaveLength(1);
    expect(page).not.toMatch(/<(link|script|img)[^>]* (src|href)="(?!data:)/);
    expect(page).not.toMatch(/<[a-z][^>]* (style|on[a-z]+)="/);
    const named = [...page.matchAll(/https?:\/\/[\w.-]+/g)].map(([url]) => url);
    expect(named.filter((url) => url !== 'http://www.w3.org')).toEqual([]);
  });

  it('has a policy that names the hashes of its script and style', () => {
    const policy = readFileSync(join(PAGES, `${name}.html.csp`), 'utf8');
    for (const [, tag = '', content = ''] of page.matchAll(/<(script|style)[^>]*>(.*?)<\/\1>/gs)) {
      const hash = createHash('sha256').update(content).digest('base64');
      expect(policy).toContain(`${tag}-src 'sha256-${hash}';`);
    }
  });
});

it('has the function framework as the only dependency of the Google Cloud package', () => {
  const manifest = JSON.parse(readFileSync(join(PROJECT, 'dist/gcp/package.json'), 'utf8'));
  const { devDependencies } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
  const framework = '@google-cloud/functions-framework';
  expect(manifest.dependencies).toEqual({ [framework]: devDependencies[framework] });
  expect(manifest.main).toBe('index.mjs');
});

/** A script and all that it imports before it runs. */
function listStaticImports(path: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const [, name = ''] of readFileSync(path, 'utf8').matchAll(/(?:from|import) ?"\.\/([^"]+)"/g)) {
    listStaticImports(join(path, '..', name), seen);
  }
  return seen;
}

function readInputs(target: string): string[] {
  const meta: { outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }> } = JSON.parse(
    readFileSync(join(PROJECT, 'dist/meta', `${target}.json`), 'utf8'),
  );
  return Object.values(meta.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs)
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([input]) => input),
  );
}
