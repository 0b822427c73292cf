import { DASHBOARDS } from '../../infra/build/monitoring/monitoring-files.ts';
import type { PanelOptions } from '../../infra/build/monitoring/panels.ts';

/** The folder of the pictures in docs/observe.md, from the root of the project. They are not part of the npm package. */
export const PICTURES = 'docs/images/observe';

/** A panel of a dashboard of Grafana, and the file that shows it. */
export interface PanelPicture {
  readonly file: string;
  readonly dashboard: string;
  readonly panel: string;
}

export const PANEL_PICTURES: readonly PanelPicture[] = [
  { file: 'requests-by-model.svg', dashboard: 'Ternion', panel: 'Requests by model' },
  { file: 'errors-by-code.svg', dashboard: 'Ternion', panel: 'Errors by code' },
  { file: 'time-of-a-request.svg', dashboard: 'Ternion', panel: 'Time of a request' },
  { file: 'steps-of-a-request.svg', dashboard: 'Ternion', panel: 'Steps of a request' },
  { file: 'instances-and-runs.svg', dashboard: 'Ternion', panel: 'Instances and runs per second' },
  { file: 'wait-for-a-turn.svg', dashboard: 'Ternion', panel: 'Wait for a turn' },
  { file: 'p95-by-version.svg', dashboard: 'Ternion models', panel: 'p95 of a request' },
  { file: 'run-by-version.svg', dashboard: 'Ternion models', panel: 'Mean time of a run' },
];

export const TERMINAL_PICTURE = 'top.svg';

/** The first charts of the page with the curves, on a narrow window and on a phone. `scale` is in pixels for each one of CSS. */
export const PAGE_PICTURES = [
  { file: 'curves.png', width: 760, scale: 1.5, charts: 6, colorScheme: 'light' },
  { file: 'curves-dark.png', width: 760, scale: 1.5, charts: 6, colorScheme: 'dark' },
  { file: 'curves-phone.png', width: 360, scale: 2, charts: 2, colorScheme: 'light' },
  { file: 'curves-phone-dark.png', width: 360, scale: 2, charts: 2, colorScheme: 'dark' },
] as const;

/** What a picture of a panel says about its origin, as JSON in its `metadata`. */
export function originOf({ dashboard, panel }: PanelPicture): string {
  const { title, unit, isStacked = false, queries } = panelOf(dashboard, panel);
  return JSON.stringify({ dashboard, title, unit, isStacked, queries });
}

/** @throws Error if the dashboard has no such panel */
export function panelOf(dashboard: string, panel: string): PanelOptions {
  const found = DASHBOARDS.find(({ title }) => title === dashboard)
    ?.rows.flatMap(({ panels }) => panels)
    .find(({ title }) => title === panel);
  if (!found)
    throw new Error(`The dashboard ${JSON.stringify(dashboard)} has no panel ${JSON.stringify(panel)}.`);
  return found;
}
