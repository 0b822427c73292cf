import { join } from 'node:path';

/** Folder of the project; folders in the settings are relative to it. */
export const PROJECT_FOLDER = join(import.meta.dirname, '..');
