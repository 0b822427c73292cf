import type { HostMetrics } from './open-monitoring.ts';

/** The metrics of hosts whose instances can be asked one by one; no other host has this code. */
export const SCRAPED: HostMetrics = {
  openCollector: async (names) => {
    const { createCollector } = await import('../shared/monitoring/metrics/collector.ts');
    return await createCollector(names);
  },
};
