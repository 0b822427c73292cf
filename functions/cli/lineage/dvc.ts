import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import * as z from 'zod/mini';
import { readYaml, YamlError } from '../../../shared/models/formats/yaml.ts';
import type { Lineage } from '../../../shared/models/lineage.ts';
import { isInside } from '../../../shared/stores/look-at.ts';
import { findAbove, foldersUp, type ModelPlace, readIfThere } from './place.ts';

const outs = z._default(z.array(z.looseObject({ path: z.string(), md5: z.optional(z.string()) })), []);
const lockSchema = z.looseObject({ stages: z._default(z.record(z.string(), z.looseObject({ outs })), {}) });
const fileSchema = z.looseObject({ outs });

interface Out {
  readonly path: string;
  readonly md5: string;
}

interface Listed {
  readonly stage?: string;
  readonly outs: readonly { readonly path: string; readonly md5?: string | undefined }[];
}

/**
 * What DVC says of the files of a model: the nearest `dvc.lock` or `.dvc` file, in its folder or above it, that has some
 * of them. A file that is not what DVC says has no hash here.
 *
 * Source: DVC's documentation of `dvc.lock` and of `.dvc` files.
 */
export async function findDvc(place: ModelPlace): Promise<Lineage> {
  const end = place.root ?? (await findAbove(place.folder, '.dvc'));
  const changed: string[] = [];
  for (const folder of foldersUp(place.folder)) {
    const names = (await readdir(folder))
      .filter((name) => name === 'dvc.lock' || /.\.dvc$/.test(name))
      .sort();
    for (const name of names) {
      const text = await readIfThere(join(folder, name));
      for (const listed of text === undefined ? [] : readOuts(text, join(folder, name))) {
        const found = await select(listed, folder, place, changed);
        if (found.length === 0) continue;
        const file = relative(end ?? folder, join(folder, name))
          .split(sep)
          .join('/');
        return {
          dvc: { file, ...(listed.stage !== undefined && { stage: listed.stage }), outs: [...found] },
        };
      }
    }
    if (changed.length > 0)
      throw new Error(`${changed.join(', ')}: not the content that DVC has the hash of`);
    if (end === undefined || folder === end) break;
  }
  return {};
}

function readOuts(text: string, path: string): readonly Listed[] {
  try {
    const value = readYaml(text);
    if (!path.endsWith('dvc.lock')) return [fileSchema.parse(value)];
    return Object.entries(lockSchema.parse(value).stages).map(([stage, each]) => ({
      stage,
      outs: each.outs,
    }));
  } catch (error) {
    if (error instanceof YamlError) throw new Error(`${path} cannot be read: ${error.message}`);
    throw new Error(`${path} is not a file of DVC`);
  }
}

/** Those that are the model, hold it, or belong to it. */
async function select(
  { outs: all }: Listed,
  folder: string,
  { path: model }: ModelPlace,
  changed: string[],
): Promise<readonly Out[]> {
  const found: Out[] = [];
  for (const { path, md5 } of all) {
    const place = resolve(folder, path);
    if (md5 === undefined || !(isInside(place, model) || isInside(model, place))) continue;
    if (await isWhat(place, md5)) found.push({ path, md5 });
    else changed.push(place);
  }
  return found;
}

/** The hash of a folder is that of a list, which only DVC has. */
async function isWhat(place: string, md5: string): Promise<boolean> {
  if (md5.endsWith('.dir')) return true;
  if (!(await stat(place).catch(() => undefined))?.isFile()) return false;
  const hash = createHash('md5');
  for await (const chunk of createReadStream(place)) hash.update(chunk);
  return hash.digest('hex') === md5;
}
