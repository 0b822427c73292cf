import { join } from 'node:path';

export const PROJECT = join(import.meta.dirname, '../..');

/** The models this project brings. */
export const MODELS = join(PROJECT, 'models');

/** What the build makes for browsers. */
export const PAGES = join(PROJECT, 'dist/pages');
