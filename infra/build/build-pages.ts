import { mkdirSync, rmSync } from 'node:fs';
import { buildDocsPage } from './build-docs-page.ts';
import { buildPlayground } from './build-playground.ts';

/** Builds the pages for browsers, with all their files, in one folder. */
export async function buildPages(projectFolder: string, output: string): Promise<void> {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  await buildDocsPage(projectFolder, output);
  await buildPlayground(projectFolder, output);
}
