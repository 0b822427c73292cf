import { createMonitoring } from '../../shared/monitoring/monitoring.ts';

/** For servers whose records a test does not look at. */
export const SILENT_MONITORING = createMonitoring({ log: () => undefined, metrics: [] });
