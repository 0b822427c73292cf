import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../support/project.ts';
import { TARGETS } from '../support/targets.ts';

const readJson = (path: string) => JSON.parse(readFileSync(join(PROJECT, path), 'utf8'));

/** Folders of the packages that a bundle has parts of. */
function packagesOf(target: string): string[] {
  const { outputs }: { outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }> } =
    readJson(`dist/meta/${target}.json`);
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const paths = inputs.flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path.split('/')] : []));
  const folders = paths.flatMap((parts) => {
    const at = parts.lastIndexOf('node_modules') + 1;
    return at === 0 ? [] : [parts.slice(0, at + (parts[at]?.startsWith('@') ? 2 : 1)).join('/')];
  });
  return [...new Set(folders)];
}

const LICENCES: Readonly<Record<string, RegExp>> = {
  'Apache-2.0': /Apache License\s+Version 2\.0/,
  MIT: /Permission is hereby granted, free of charge/,
  ISC: /Permission to use, copy, modify,/,
  'BlueOak-1.0.0': /Blue Oak Model License/,
};

describe.each(TARGETS)('dist/$name/THIRD-PARTY-NOTICES.txt', ({ name, platform, isNpmPackage, koffi }) => {
  const notices = readFileSync(join(PROJECT, 'dist', name, 'THIRD-PARTY-NOTICES.txt'), 'utf8');

  it('names each bundled package with its version, and has the text of its licence', () => {
    const folders = packagesOf(name);
    expect(folders).toEqual(
      expect.arrayContaining(['hono', 'zod', 'js-yaml'].map((each) => `node_modules/${each}`)),
    );
    for (const folder of folders) {
      const { name: title, version, license } = readJson(`${folder}/package.json`);
      const place = notices.indexOf(`\n${title} ${version}, ${license}`);
      expect(place, title).toBeGreaterThan(0);
      // Below the titles of all packages with the same text.
      const [, text = ''] = notices.slice(place).split(/^={80}$/m);
      expect(text, title).toMatch(LICENCES[license] ?? /^$/);
      for (const file of readdirSync(join(PROJECT, folder)).filter((each) =>
        /^(licen[cs]e|notice)/i.test(each),
      )) {
        expect(notices, title).toContain(
          readFileSync(join(PROJECT, folder, file), 'utf8')
            .replaceAll('\r\n', '\n')
            .trim(),
        );
      }
    }
  });

  it('has the licences of the native libraries next to the bundle', () => {
    // The packages of the runtimes have its licences (test/bundles/npm-package.test.ts).
    if (isNpmPackage) return;
    const { packages } = readJson('package-lock.json');
    expect(notices).toContain(`\nonnxruntime-node ${packages['node_modules/onnxruntime-node'].version}, MIT`);
    expect(notices).toContain('THIRD PARTY SOFTWARE NOTICES AND INFORMATION');
    for (const library of [`@img/sharp-${platform}`, `@img/sharp-libvips-${platform}`]) {
      expect(notices).toContain(`${library} ${packages[`node_modules/${library}`].version}, `);
    }
    for (const text of [
      'GNU LESSER GENERAL PUBLIC LICENSE',
      'GNU GENERAL PUBLIC LICENSE',
      '| libvips       | LGPLv3',
    ])
      expect(notices).toContain(text);
    const addon = `@koromix/koffi-${platform}`;
    const locked = packages[`node_modules/${addon}`];
    expect(notices.includes(`\n${addon} ${locked?.version}, MIT`)).toBe(koffi && locked !== undefined);
    expect(notices.includes('Niels Martignène')).toBe(koffi && locked !== undefined);
  });
});
