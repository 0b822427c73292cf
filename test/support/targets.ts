import { join } from 'node:path';
import { findTargets } from '../../infra/build/targets.ts';
import { PROJECT } from './project.ts';

export const TARGETS = findTargets(join(PROJECT, 'functions'));

/** Targets whose native libraries are for the machine that runs the tests. */
export const RUNNABLE = TARGETS.filter(({ platform }) => platform === `${process.platform}-${process.arch}`);
