import { join } from 'node:path';
import { writeAlerts } from './alerts.ts';
import { MODEL_DASHBOARD } from './model-dashboard.ts';
import { type DashboardOptions, makeDashboard } from './panels.ts';
import { SERVER_DASHBOARD } from './server-dashboard.ts';

const INFRA = join(import.meta.dirname, '../..');
export const ALERTS_FILE = join(INFRA, 'prometheus/alerts.yml');

export const DASHBOARDS: readonly DashboardOptions[] = [SERVER_DASHBOARD, MODEL_DASHBOARD];

/** The content of the files for Prometheus and Grafana, by their paths. */
export function makeMonitoringFiles(): ReadonlyMap<string, string> {
  return new Map([
    [ALERTS_FILE, writeAlerts()],
    ...DASHBOARDS.map((dashboard): [string, string] => [
      join(INFRA, 'grafana', `${dashboard.uid}.json`),
      `${JSON.stringify(makeDashboard(dashboard), null, 2)}\n`,
    ]),
  ]);
}
