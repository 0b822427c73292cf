import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { LoadOptions, LoadRequest, LoadResult } from './load.ts';

const MOST_SECONDS_OF_A_REQUEST = 30;

/**
 * Runs wrk with one thread.
 *
 * @throws Error with the output of wrk if it fails
 */
export async function loadWithWrk({
  port,
  requests,
  connections,
  seconds,
}: LoadOptions): Promise<LoadResult> {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-wrk-'));
  try {
    for (const [index, { body }] of requests.entries()) await writeFile(join(folder, `${index}.body`), body);
    const script = join(folder, 'script.lua');
    await writeFile(script, writeScript(requests, folder));
    const options = ['-t1', `-c${connections}`, `-d${seconds}s`, `--timeout=${MOST_SECONDS_OF_A_REQUEST}s`];
    const child = spawn('wrk', [...options, '-s', script, `http://127.0.0.1:${port}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [output, errors] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    return parseOutput(output + errors);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The script for wrk: it sends the requests in turns, and at the end prints one line that `parseOutput` reads. The
 * bodies are in files, `0.body` and so on, because Lua cannot write all bytes as text.
 */
export function writeScript(requests: readonly LoadRequest[], folder: string): string {
  const lines = requests.map(({ method, path, headers }, index) => {
    const fields = Object.entries(headers).map(([name, value]) => `[${quote(name)}]=${quote(value)}`);
    const body = `read(${quote(join(folder, `${index}.body`))})`;
    return `${quote(method)}, ${quote(path)}, {${fields.join(', ')}}, ${body}`;
  });
  const [only = ''] = lines;
  return [READ, requests.length === 1 ? sendOne(only) : sendInTurns(lines), DONE].join('');
}

const READ = `local function read(path)
  local file = assert(io.open(path, 'rb'))
  local bytes = file:read('*a')
  file:close()
  if bytes == '' then return nil end
  return bytes
end
`;

/** Without a function for each request, wrk builds the bytes once. */
function sendOne(line: string): string {
  return `wrk.method, wrk.path, wrk.headers, wrk.body = ${line}
`;
}

function sendInTurns(lines: readonly string[]): string {
  return `local requests
function init()
  requests = {
${lines.map((line) => `    wrk.format(${line}),`).join('\n')}
  }
end
local count = 0
function request()
  count = count % #requests + 1
  return requests[count]
end
`;
}

const DONE = `function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('result %d %d %d %d %d %d %.3f\\n', summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status,
    latency:percentile(50), latency:percentile(95), latency:percentile(99), os.clock()))
end
`;

/** A text in Lua. */
function quote(value: string): string {
  return `'${value.replaceAll(/['\\]/g, '\\$&').replaceAll('\n', '\\n')}'`;
}

/**
 * Reads the line that the script prints: requests, microseconds, errors, three latencies in microseconds, and the CPU
 * seconds of wrk.
 *
 * @throws Error with the output if the line is missing
 */
export function parseOutput(output: string): LoadResult {
  const [line, ...fields] = /^result (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) ([\d.]+)$/m.exec(output) ?? [];
  if (line === undefined) throw new Error(`wrk printed no result:\n${output}`);
  const [requests = 0, microseconds = 0, errors = 0, p50 = 0, p95 = 0, p99 = 0, cpuSeconds = 0] =
    fields.map(Number);
  return {
    requests,
    requestsPerSecond: (requests / microseconds) * 1e6,
    errors,
    p50: p50 / 1000,
    p95: p95 / 1000,
    p99: p99 / 1000,
    cpuSeconds,
  };
}
