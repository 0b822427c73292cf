import type { Counterpart } from '../counterpart.ts';
import { npmInstall } from '../npm-install.ts';

const PACKAGES = [
  'hono@4.13.19',
  '@hono/node-server@2.1.9',
  'express@5.3.0',
  'express4@npm:express@4.22.3',
  'fastify@5.12.8',
  'next@16.4.6',
  'react@19.3.1',
  'react-dom@19.3.1',
  // Next checks the types of a project with these, and would install them itself.
  'typescript@7.0.2',
  '@types/node@24.19.2',
  '@types/react@19.3.3',
  '@types/express@5.0.6',
];

/** The servers of other people that Ternion is mounted in. */
export const counterpart: Counterpart = {
  name: 'frameworks',
  pin: 'hono 4.13.19, express 5.3.0 and 4.22.3, fastify 5.12.8, next 16.4.6',
  install: (folder) => [npmInstall(folder, ...PACKAGES)],
};
