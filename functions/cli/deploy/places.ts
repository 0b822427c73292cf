import { join, resolve } from 'node:path';
import type { BuildPlaces } from './build-function.ts';

/** The folder that this program is in: `dist/cli` of the package or of a checkout. */
const HERE = import.meta.dirname;

/** Where the parts of Ternion are, for a build in the working folder. */
export function placesHere(note: (text: string) => void): BuildPlaces {
  return {
    from: join(HERE, 'index.mjs'),
    runtimes: join(HERE, '../runtimes'),
    functions: join(HERE, '../functions'),
    cache: resolve('node_modules/.cache/ternion'),
    note,
  };
}

/** The app of the stack, for projects without one. */
export const STACK_APP = join(HERE, '../aws-cdk/app.mjs');
