import { constants } from 'node:fs';
import { copyFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../../../shared/errors.ts';
import { shellWord } from '../../shell-word.ts';
import { CommandError, type Console } from '../console.ts';

const NAME = 'ternion_export.py';

/** In the package, and in the source. */
const HELPER = join(
  import.meta.dirname,
  import.meta.filename.endsWith('.ts') ? '../../../python' : '../../python',
  NAME,
);

export interface ExportHelperOptions {
  readonly force?: boolean;
}

/** `ternion export-helper`: copies the helper for Python, which exports models with their model.json. */
export async function exportHelper(
  target: string,
  { force = false }: ExportHelperOptions,
  output: Console,
): Promise<void> {
  const isFolder = (await stat(target).catch(() => undefined))?.isDirectory() ?? false;
  const file = isFolder ? join(target, NAME) : target;
  try {
    await copyFile(HELPER, file, force ? 0 : constants.COPYFILE_EXCL);
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
    throw new CommandError(`${file} exists already; --force replaces it.`);
  }
  output.result({ file }, () =>
    [
      `${file} exports models of scikit-learn, XGBoost, LightGBM, CatBoost, PyTorch, Keras and others from Python:`,
      '  from ternion_export import export',
      "  export(model, sample, 'exports/my-model')",
      `Then publish it: npx ternion add ${shellWord('exports/my-model')}`,
    ].join('\n'),
  );
}
