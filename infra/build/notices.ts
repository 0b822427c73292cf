import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import * as z from 'zod';
import { NOTICES_FILE } from '../../functions/cli/deploy/build-function.ts';

const packageSchema = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string(),
  repository: z.union([z.string(), z.object({ url: z.string() })]).optional(),
});

/** Licence texts that are missing in packages, by the beginning of their names; the files are in `infra/licenses`. */
const MISSING: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^onnxruntime-node$/, ['onnxruntime.txt', 'onnxruntime-third-party.txt']],
  [/^onnxruntime-common$/, ['onnxruntime.txt']],
  [/^@img\/sharp-libvips-/, ['LGPL-3.0-or-later.txt', 'GPL-3.0.txt']],
  [/^@growthbook\/growthbook$/, ['growthbook.txt']],
  [/^@koromix\/koffi-/, ['koffi.txt']],
  [/^@(aws-sdk|smithy)\//, ['Apache-2.0.txt']],
];

const LINE = '='.repeat(80);

/**
 * Writes the licences of all packages in a bundle beside it.
 *
 * @throws Error when a package has no licence text, so that nothing is shipped without one
 */
export function writeNotices(projectFolder: string, metafile: Metafile, output: string): void {
  const folders = bundledPackages(metafile).map((path) => join(projectFolder, path));
  writeFileSync(join(output, NOTICES_FILE), `${INTRODUCTION}\n\n${describeLicences(projectFolder, folders)}`);
}

/**
 * The licences of packages, by their folders. A text that several packages share is there once.
 *
 * @throws Error when a package has no licence text
 */
export function describeLicences(projectFolder: string, folders: readonly string[]): string {
  const byText = new Map<string, string[]>();
  for (const folder of folders) {
    const text = readTexts(projectFolder, folder);
    byText.set(text, [...(byText.get(text) ?? []), describePackage(folder)]);
  }
  const parts = [...byText].map(([text, titles]) => `${LINE}\n${titles.join('\n')}\n${LINE}\n\n${text}\n`);
  return parts.join('\n');
}

const INTRODUCTION = 'Ternion contains third-party software under the licences below.';

/** Folders of the packages that have code in a bundle, as `node_modules/<name>`, sorted. */
function bundledPackages({ outputs }: Metafile): string[] {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const used = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const folders = used.flatMap(([path]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? []);
  return [...new Set(folders)].sort();
}

function describePackage(folder: string): string {
  const { name, version, license, repository } = readPackage(folder);
  const url = (typeof repository === 'object' ? repository.url : repository)?.replace(/^git\+/, '');
  return `${name} ${version}, ${license}${url === undefined ? '' : `, ${url}`}`;
}

function readPackage(folder: string): z.infer<typeof packageSchema> {
  return packageSchema.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
}

function readTexts(projectFolder: string, folder: string): string {
  const { name } = readPackage(folder);
  const own = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(licen[cs]e|notice|copying|third.?party)/i.test(entry.name))
    .map((entry) => entry.name);
  const kept = MISSING.find(([pattern]) => pattern.test(name))?.[1] ?? [];
  const files = [
    // It lists the libraries that libvips is linked with, and their licences.
    ...(name.startsWith('@img/sharp-libvips-') ? [join(folder, 'README.md')] : []),
    ...own.sort().map((file) => join(folder, file)),
    ...(own.length > 0 ? [] : kept.map((file) => join(projectFolder, 'infra/licenses', file))),
  ];
  if (files.length === 0 || !files.every((file) => existsSync(file)))
    throw new Error(`${name} has no licence text; add it to infra/licenses and infra/build/notices.ts`);
  return files.map((file) => readFileSync(file, 'utf8').replaceAll('\r\n', '\n').trim()).join('\n\n');
}
