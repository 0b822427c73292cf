import type { Counterpart } from '../counterpart.ts';
import { counterpart as runtime } from '../lambda-ric/counterpart.ts';
import { counterpart as nodes } from '../nodes/counterpart.ts';
import { counterpart as training } from '../table-export/counterpart.ts';

/** A project of somebody else, from an empty folder to three clouds, with the packages that npm gets for it. */
export const counterpart: Counterpart = {
  name: 'project',
  pin: `a project with ${nodes.pin}`,
  needs: [nodes, runtime, training],
  install: () => [],
};
