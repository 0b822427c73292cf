import type { MetricsName } from '../../config.ts';
import type { MetricNames } from './series.ts';

const LOADERS: Readonly<Record<MetricsName, () => Promise<MetricNames>>> = {
  ternion: async () => (await import('./ternion.ts')).TERNION,
  triton: async () => (await import('./triton.ts')).TRITON,
  kserve: async () => (await import('./kserve.ts')).KSERVE,
  mlserver: async () => (await import('./mlserver.ts')).MLSERVER,
  torchserve: async () => (await import('./torchserve.ts')).TORCHSERVE,
  tei: async () => (await import('./tei.ts')).TEI,
  'tensorflow-serving': async () => (await import('./tensorflow-serving.ts')).TENSORFLOW_SERVING,
};

export async function loadNames(chosen: readonly MetricsName[]): Promise<readonly MetricNames[]> {
  return await Promise.all(chosen.map((name) => LOADERS[name]()));
}
