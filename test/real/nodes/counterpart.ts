import type { Counterpart } from '../counterpart.ts';
import { npmInstall } from '../npm-install.ts';

const PLATFORM = `node-${process.platform}-${process.arch}`;

/** The versions of Node that the tests do not run on themselves: the oldest one, and the one between. */
export const counterpart: Counterpart = {
  name: 'nodes',
  pin: 'node 20.20.2 and 22.23.5',
  install: (folder) => [
    npmInstall(folder, `node20@npm:${PLATFORM}@20.20.2`, `node22@npm:${PLATFORM}@22.23.5`),
  ],
};
