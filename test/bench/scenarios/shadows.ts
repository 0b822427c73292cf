import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { split } from '../../../shared/releases/changes.ts';
import { createReleaseLog } from '../../../shared/releases/release-log.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { MODELS } from '../../support/project.ts';
import { measureUnderLoad } from '../measure-load.ts';
import { FLOWER } from '../requests.ts';
import type { Scenario } from '../scenario.ts';
import { serveCommand } from '../servers.ts';
import { connectionsOf } from './iris.ts';

export const shadows: Scenario = {
  name: 'shadows',
  title: 'Requests to a model with a shadow',
  about:
    'Version 2 of iris answers, and version 1 gets a copy of each request. The limits are the same server with a release and ' +
    'no shadow, and one without any release.',
  contenders: [
    { name: 'a shadow of all requests', role: 'ours' },
    { name: 'a release, no shadow', role: 'limit' },
    { name: 'no release', role: 'limit' },
  ],
  plot: 'rate',
  run: async (bench) => {
    const environment = { PRELOAD_MODELS: 'iris' };
    const repositories = await Promise.all(
      ['shadow', 'release', 'none'].map(async (name) => {
        const folder = join(bench.folder, name);
        await cp(join(MODELS, 'iris'), join(folder, 'iris'), { recursive: true });
        return folder;
      }),
    );
    const [shadow = '', release = '', none = ''] = repositories;
    for (const [folder, percent] of [
      [shadow, 100],
      [release, 0],
    ] as const) {
      await createReleaseLog(openFilesystemStore(folder)).change(
        'iris',
        { by: 'bench', why: 'a measurement', action: `split --shadow 1=${percent}` },
        (current) =>
          split(current, { model: 'iris', versions: ['1', '2'] }, { shadows: new Map([['1', percent]]) }),
      );
    }
    await measureUnderLoad(
      bench,
      [
        { name: 'a shadow of all requests', command: serveCommand(shadow), environment },
        { name: 'a release, no shadow', command: serveCommand(release), environment },
        { name: 'no release', command: serveCommand(none), environment },
      ],
      [1, 16].map((connections) => ({ name: connectionsOf(connections), connections, requests: [FLOWER] })),
    );
  },
};
