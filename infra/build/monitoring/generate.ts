import { writeFileSync } from 'node:fs';
import { makeMonitoringFiles } from './monitoring-files.ts';

// Writes the alerts of Prometheus and the dashboards of Grafana. Usage: npm run generate:monitoring
for (const [path, text] of makeMonitoringFiles()) writeFileSync(path, text);
