import type { Changes } from './changes.ts';
import type { Sample } from './read-metrics.ts';

type Chosen = (labels: Sample['labels']) => boolean;

/** The requests in the time between two readings. Percentiles in seconds; undefined without requests. */
export interface Traffic {
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly p99: number | undefined;
}

const DURATION = 'ternion_request_duration_seconds';
const STEP = 'ternion_step_duration_seconds';

/** What asks for the metrics is not part of the traffic. */
export const isTraffic: Chosen = ({ protocol }) => protocol !== 'metrics';

export function trafficOf({ seconds, growth, quantile }: Changes, isChosen: Chosen = isTraffic): Traffic {
  return {
    requestsPerSecond: growth('ternion_requests_total', isChosen) / seconds,
    errorsPerSecond: growth('ternion_errors_total', isChosen) / seconds,
    p50: quantile(0.5, DURATION, isChosen),
    p95: quantile(0.95, DURATION, isChosen),
    p99: quantile(0.99, DURATION, isChosen),
  };
}

/** The mean time of each step of the requests that ran a model, in seconds; steps without requests are left out. */
export function stepsOf({ growth, groups }: Changes): readonly (readonly [step: string, mean: number])[] {
  return groups(`${STEP}_sum`, ['step']).flatMap(([step = '']) => {
    const isStep: Chosen = (labels) => labels.step === step;
    const count = growth(`${STEP}_count`, isStep);
    return count === 0 ? [] : [[step, growth(`${STEP}_sum`, isStep) / count] as const];
  });
}

/** Processors that the process used, and the part of the time in which its event loop had work. */
export function loadOf({ seconds, growth }: Changes): {
  readonly processors: number;
  readonly eventLoop: number;
} {
  return {
    processors: growth('process_cpu_seconds_total') / seconds,
    eventLoop: growth('nodejs_eventloop_busy_seconds_total') / seconds,
  };
}

/** The requests that have begun and not ended, without the one that asks. */
export function inProgressOf({ latest }: Changes): number {
  return Math.max(0, (latest('ternion_requests_in_progress') ?? 0) - 1);
}
