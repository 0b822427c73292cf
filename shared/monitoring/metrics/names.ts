import type { MetricsName } from '../../config.ts';
import type { MetricNames } from './series.ts';

const LOADERS: Readonly<Record<MetricsName, () => Promise<MetricNames>>> = {
  ternion: async () => (await import('./ternion.ts')).TERNION,
};

export async function loadNames(chosen: readonly MetricsName[]): Promise<readonly MetricNames[]> {
  return await Promise.all(chosen.map((name) => LOADERS[name]()));
}
