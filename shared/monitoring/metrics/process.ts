import { readdirSync } from 'node:fs';
import { totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';
import { counter, type Family, gauge } from './family.ts';

/** The process, under the names of Prometheus' clients. Source: Prometheus, writing client libraries, process metrics. */
export function describeProcess(): readonly Family[] {
  const { user, system } = process.cpuUsage();
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
  const files = countOpenFiles();
  return [
    counter('process_cpu_seconds', 'User and system CPU time.', [[{}, (user + system) / 1e6]]),
    gauge('process_resident_memory_bytes', 'Memory that the process takes.', [[{}, rss]]),
    gauge(
      'ternion_memory_limit_bytes',
      'Memory that the process may take: that of its container or machine.',
      [[{}, limitBytes()]],
    ),
    gauge('process_start_time_seconds', 'When the process started, since the epoch.', [
      [{}, performance.timeOrigin / 1000],
    ]),
    gauge('process_open_fds', 'Open files.', files === undefined ? [] : [[{}, files]]),
    gauge('nodejs_heap_size_total_bytes', 'Size of the heap of V8.', [[{}, heapTotal]]),
    gauge('nodejs_heap_size_used_bytes', 'Used part of the heap of V8.', [[{}, heapUsed]]),
    gauge('nodejs_external_memory_bytes', 'Memory of buffers and other objects outside the heap.', [
      [{}, external],
    ]),
    counter('nodejs_eventloop_busy_seconds', 'Time in which the event loop had work.', [
      [{}, performance.eventLoopUtilization().active / 1000],
    ]),
  ];
}

function limitBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Linux alone has them in a folder. */
function countOpenFiles(): number | undefined {
  try {
    // The folder itself is open while it is read.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}
