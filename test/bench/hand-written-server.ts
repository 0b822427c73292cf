// What somebody would write by hand for the iris model: node:http and ONNX Runtime, with checked input, and with the same
// answer, headers and log line as Ternion. Usage: hand-written-server.ts <port>
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import ort from 'onnxruntime-node';

// As in Ternion: the runtime's telemetry costs a thread and files.
process.env.ORT_DISABLE_TELEMETRY = '1';

const MOST_BYTES = 1024 * 1024;
const NAMES = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'];
const LABELS = ['setosa', 'versicolor', 'virginica'];
const isLogged = process.env.LOG_LEVEL === 'info';

const startMs = performance.now();
const session = await ort.InferenceSession.create(
  readFileSync(join(import.meta.dirname, '../../models/iris/2/model.onnx')),
  { intraOpNumThreads: 1 },
);
const loadMs = round(performance.now() - startMs);
let isCold = true;

createServer({ keepAliveTimeout: 620_000 }, receive).listen(Number(process.argv[2]), '127.0.0.1');

function receive(request: IncomingMessage, response: ServerResponse): void {
  const startMs = performance.now();
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && /^[\w.:/+=-]{1,128}$/.test(given) ? given : randomUUID();
  const chunks: Buffer[] = [];
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > MOST_BYTES) request.destroy();
    else chunks.push(chunk);
  });
  request.on('end', () => {
    const body = chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks);
    answer(request, body).then(
      ({ runMs, ...answered }) => send(200, JSON.stringify({ ...answered, inference_time_ms: runMs }), runMs),
      (error: unknown) => send(error instanceof InputError ? 400 : 500, describe(error), 0),
    );
  });

  function send(status: number, text: string, runMs: number): void {
    const totalMs = round(performance.now() - startMs);
    response.writeHead(status, [
      'content-length',
      String(Buffer.byteLength(text)),
      'content-type',
      'application/json',
      'server-timing',
      `load;dur=${loadMs}, run;dur=${runMs}, total;dur=${totalMs}`,
      'x-content-type-options',
      'nosniff',
      'x-request-id',
      id,
    ]);
    response.end(text);
    if (isLogged) log(request, { id, status, totalMs, runMs });
    isCold = false;
  }
}

class InputError extends Error {}

async function answer({ method, url }: IncomingMessage, body: Buffer) {
  if (method !== 'POST' || url !== '/predict') throw new InputError('there is only POST /predict');
  const features = readFeatures(body);
  const startMs = performance.now();
  const { logits } = await session.run({
    features: new ort.Tensor('float32', Float32Array.from(features), [1, NAMES.length]),
  });
  const runMs = round(performance.now() - startMs);
  const scores = softmax(Array.from(Object(logits).data, Number));
  const best = scores.indexOf(Math.max(...scores));
  return {
    prediction: LABELS[best],
    class_id: best,
    confidence: scores[best],
    probabilities: Object.fromEntries(LABELS.map((label, index) => [label, scores[index]])),
    model: 'iris',
    model_version: '2',
    runMs,
  };
}

function readFeatures(body: Buffer): readonly number[] {
  let json: unknown;
  try {
    json = JSON.parse(body.toString());
  } catch {
    throw new InputError('the body is not JSON');
  }
  const features =
    typeof json === 'object' && json !== null && 'features' in json ? json.features : undefined;
  if (!Array.isArray(features) || features.length !== NAMES.length) {
    throw new InputError(`features must be ${NAMES.length} numbers`);
  }
  return features.map((value: unknown, index) => {
    if (typeof value === 'number' && value >= 0 && value <= 20) return value;
    throw new InputError(`features[${index}] (${NAMES[index]}) must be a number from 0 to 20`);
  });
}

function softmax(logits: readonly number[]): readonly number[] {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

function describe(error: unknown): string {
  return JSON.stringify({ error: error instanceof Error ? error.message : String(error) });
}

interface Logged {
  readonly id: string;
  readonly status: number;
  readonly totalMs: number;
  readonly runMs: number;
}

function log({ method, url }: IncomingMessage, { id, status, totalMs, runMs }: Logged): void {
  const record = {
    time: new Date().toISOString(),
    level: 'info',
    message: 'request',
    request_id: id,
    method,
    path: url,
    status,
    duration_ms: totalMs,
    cold_start: isCold,
    model: 'iris',
    model_version: '2',
    run_ms: runMs,
  };
  console.log(JSON.stringify(record));
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
