import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lineage } from '../../../shared/models/lineage.ts';
import { foldersUp, type ModelPlace, readIfThere } from './place.ts';

const COMMIT = /^[0-9a-f]{40}$/;

/**
 * The repository and the commit of a model that the library of Hugging Face has downloaded: into its cache,
 * `models--<owner>--<repo>/snapshots/<commit>`, or into a folder, where `.cache/huggingface/download/` then has the
 * commit of each file.
 *
 * Source: huggingface_hub 1.0, "Understand caching" and `_local_folder.py`.
 */
export async function findHuggingFace({ path, folder }: ModelPlace): Promise<Lineage> {
  const snapshot = /[\\/]models--([^\\/]+)[\\/]snapshots[\\/]([0-9a-f]{40})(?:[\\/]|$)/.exec(path);
  const [, name = '', ofSnapshot = ''] = snapshot ?? [];
  if (snapshot) return { huggingFace: { repo: name.replace('--', '/'), commit: ofSnapshot } };
  for (const each of foldersUp(folder).slice(0, DEEPEST)) {
    const commits = await readCommits(join(each, '.cache/huggingface/download'));
    const [commit] = commits;
    // Files of several commits are not a state of the repository.
    if (commit !== undefined && commits.size === 1) return { huggingFace: { commit } };
    if (commits.size > 0) return {};
  }
  return {};
}

/** The model may be in a subfolder, such as `onnx`. */
const DEEPEST = 2;
const MOST_FILES = 1000;

async function readCommits(folder: string): Promise<ReadonlySet<string>> {
  const names = await readdir(folder, { recursive: true }).catch((): string[] => []);
  const files = names.filter((name) => name.endsWith('.metadata')).slice(0, MOST_FILES);
  const texts = await Promise.all(files.map((name) => readIfThere(join(folder, name))));
  return new Set(texts.map((text) => text?.split('\n')[0] ?? '').filter((line) => COMMIT.test(line)));
}
