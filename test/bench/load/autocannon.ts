import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Result } from 'autocannon';
import { latenciesOf } from '../statistics.ts';
import type { LoadOptions, LoadResult } from './load.ts';

/**
 * Runs autocannon in a process of its own, as it would otherwise wait for this one. Its histogram counts whole
 * milliseconds and has no p95, so the latency of each answer is kept.
 *
 * @throws Error with the output of the process if it fails
 */
export async function loadWithAutocannon(options: LoadOptions): Promise<LoadResult> {
  const child = spawn(process.execPath, [import.meta.filename], { stdio: ['pipe', 'pipe', 'pipe'] });
  const requests = options.requests.map((each) => ({ ...each, body: each.body.toString('base64') }));
  child.stdin.end(JSON.stringify({ ...options, requests }));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  try {
    return JSON.parse(output);
  } catch {
    throw new Error(`autocannon printed no result:\n${output}${errors}`);
  }
}

async function load(input: string): Promise<LoadResult> {
  const { port, requests, connections, seconds }: LoadOptions = JSON.parse(input, (key, value) =>
    key === 'body' ? Buffer.from(value, 'base64') : value,
  );
  const { default: autocannon } = await import('autocannon');
  const startMs = performance.now();
  const latencies: number[] = [];
  const options = {
    url: `http://127.0.0.1:${port}`,
    connections,
    duration: seconds,
    timeout: 30,
    requests: requests.map(({ method, path, headers, body }) => {
      if (!isMethod(method)) throw new Error(`autocannon does not know the method ${method}`);
      return { method, path, headers: { ...headers }, ...(body.length > 0 && { body }) };
    }),
  };
  const { errors, non2xx } = await new Promise<Result>((resolve, reject) => {
    const running = autocannon(options, (error, result) => (error ? reject(error) : resolve(result)));
    running.on('response', (_client, _status, _bytes, latencyMs) => latencies.push(latencyMs));
  });
  const { user, system } = process.cpuUsage();
  return {
    requests: latencies.length,
    requestsPerSecond: (latencies.length / (performance.now() - startMs)) * 1000,
    errors: errors + non2xx,
    ...latenciesOf(latencies),
    cpuSeconds: (user + system) / 1e6,
  };
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const;

function isMethod(value: string): value is (typeof METHODS)[number] {
  return METHODS.some((method) => method === value);
}

if (import.meta.main) console.log(JSON.stringify(await load(await text(process.stdin))));
