import type { MetricsName } from '../config.ts';
import type { RequestContext } from '../http/context.ts';
import { loadOnce } from '../memo.ts';
import type { Collector } from './metrics/series.ts';
import type { ModelLoad } from './model-load.ts';
import type { Exporter } from './otlp/exporter.ts';
import type { RequestLog } from './request-log.ts';
import type { RequestRecord } from './request-record.ts';
import type { ShadowRun } from './shadow-run.ts';

/** What is known about a server while it runs: everything in it comes from records of requests and loads. */
export interface Monitoring {
  /** Opens what sends spans and metrics, if somebody wants them. It is to be called before models load. */
  start(): Promise<void>;
  /** What sends spans and metrics; undefined before the start, and if nobody wants them. */
  readonly exporter: Exporter | undefined;
  /** Takes the record of a request that was answered. */
  request(record: RequestRecord, context: Pick<RequestContext, 'waitUntil'>): void;
  /** Takes a load of a model. */
  load(load: ModelLoad): void;
  /** Takes a copy of a request that a version got without a say in the answer. */
  shadow(run: ShadowRun): void;
  /** Counts a request that begins; the function that it returns counts its end. */
  begin(): () => void;
  /** Requests that have begun and not ended. */
  readonly inProgress: number;
  /** All numbers of this process; undefined on hosts that nobody can scrape. */
  readonly collect: (() => Promise<Collector>) | undefined;
  /** What those who ask for numbers should do instead, if there are none. */
  readonly advice: string;
  /** Sends what is left. */
  close(): Promise<void>;
}

export interface MonitoringOptions {
  readonly log: RequestLog;
  /** The servers under whose names metrics are given; none: nothing is kept. */
  readonly metrics: readonly MetricsName[];
  /** Opens what counts under these names; undefined: nothing is kept. */
  readonly openCollector?: ((names: readonly MetricsName[]) => Promise<Collector>) | undefined;
  /** What those who ask for numbers should do instead, on a host whose instances nobody can ask one by one. */
  readonly advice?: string | undefined;
  /** Opens what sends spans and metrics; undefined: nobody wants them. */
  readonly openExporter?: (() => Promise<Exporter | undefined>) | undefined;
}

type Event = RequestRecord | ModelLoad | ShadowRun;

const NO_METRICS = 'This server gives no metrics.';

/** Records that wait for the code that counts them. A start needs none of it, and neither does the first answer. */
const MOST_WAITING = 256;
/** Those that are kept if that code cannot be loaded: a process may have no file left to open. */
const MOST_KEPT = 4096;

export function createMonitoring({
  log,
  metrics,
  openCollector,
  advice = NO_METRICS,
  openExporter,
}: MonitoringOptions): Monitoring {
  let inProgress = 0;
  let exporter: Exporter | undefined;
  let collector: Collector | undefined;
  let waiting: Event[] = [];
  let kept = 0;
  const end = () => {
    inProgress -= 1;
  };

  const open = metrics.length > 0 ? openCollector : undefined;
  const collect =
    open &&
    loadOnce(async () => {
      collector = await open(metrics);
      for (const each of waiting) {
        if ('requestId' in each) collector.request(each);
        else if ('outcome' in each) collector.shadow(each);
        else collector.load(each);
      }
      waiting = [];
      return collector;
    });

  function keep(event: Event): void {
    if (!collect) return;
    waiting.push(event);
    if (waiting.length > MOST_KEPT) waiting.shift();
    kept += 1;
    // If it cannot be loaded, the next request for the metrics says so.
    if (kept % MOST_WAITING === 0) collect().catch(() => undefined);
  }

  return {
    start: async () => {
      exporter = await openExporter?.();
    },
    get exporter() {
      return exporter;
    },
    request: (record, context) => {
      log(record);
      exporter?.request(record, context);
      if (collector) collector.request(record);
      else keep({ ...record, error: undefined });
    },
    load: (load) => {
      exporter?.load?.(load);
      if (collector) collector.load(load);
      else keep(load);
    },
    shadow: (run) => {
      exporter?.shadow?.(run);
      if (collector) collector.shadow(run);
      else keep(run);
    },
    begin: () => {
      inProgress += 1;
      return end;
    },
    get inProgress() {
      return inProgress;
    },
    advice,
    close: async () => await exporter?.close(),
    collect,
  };
}
