import { join } from 'node:path';
import { createTrials } from '../../shared/runtime/trial.ts';
import type { TrialOptions } from '../../shared/runtime/trial-process.ts';
import { PROJECT } from './project.ts';

/** The script that models are tried in, in its source form. */
export const TRIAL_SCRIPT = join(PROJECT, 'functions/trial/index.ts');

/** Trials as on a host of 4 GB, except for the options that are given. */
export function makeTrials(options: Partial<TrialOptions> = {}) {
  const environment = { ORT_DISABLE_TELEMETRY: '1' };
  return createTrials({ script: TRIAL_SCRIPT, environment, memoryBytes: 4e9, limitMs: 10_000, ...options });
}
