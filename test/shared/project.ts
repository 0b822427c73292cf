import { join } from 'node:path';

export const PROJECT = join(import.meta.dirname, '../..');

/** The models this project brings. */
export const MODELS = join(PROJECT, 'models');

/** Files of public projects that stand beside this one on some machines. */
export const OUTSIDE_FIXTURES = join(PROJECT, '../shared/fixtures');
