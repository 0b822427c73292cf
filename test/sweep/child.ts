// Runs one job of a sweep: the process that may die. Progress goes to file descriptor 3, a line before each run.
import { readFileSync, writeSync } from 'node:fs';
import { deserialize } from 'node:v8';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { DATATYPES } from '../../shared/tensor/datatype.ts';
import type { Tensor } from '../../shared/tensor/tensor.ts';
import { type Condition, conditionsOf, type Feeds } from './conditions.ts';
import type { Job, Unit } from './job.ts';

const COLLECT_BYTES = 2 ** 30;
const PROGRESS = 3;

const [path = ''] = process.argv.slice(2);
const job: Job = deserialize(readFileSync(path));
const skipped = new Set(job.skip);
for (const [index, unit] of job.units.entries()) {
  if (index < job.start.unit) continue;
  say(`u ${index}`);
  await runUnit(unit, index === job.start.unit ? job.start.condition : 0);
}
say('end');

async function runUnit(unit: Unit, start: number): Promise<void> {
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(unit.model, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
      enableCpuMemArena: job.hasArena,
      extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
    });
  } catch (error) {
    say(`refused ${String(error).slice(0, 300).replaceAll('\n', ' ')}`);
    return;
  }
  say('loaded');
  let ok = 0;
  let refused = 0;
  let index = -1;
  for (const { group, feeds } of conditionsIn(unit)) {
    index++;
    if (index < start || skipped.has(`${unit.operator}|${group}`)) continue;
    say(`r ${index} ${ok} ${refused}`);
    const problem = await run(session, feeds);
    if (problem === undefined) ok++;
    else refused++;
    if (unit.extent === 'alone' && problem !== undefined)
      say(`threw ${problem.slice(0, 300).replaceAll('\n', ' ')}`);
    if (process.memoryUsage.rss() > COLLECT_BYTES) globalThis.gc?.();
  }
  say(`ok ${ok} ${refused}`);
  await session.release();
}

function conditionsIn({ extent, feeds }: Unit): Iterable<Pick<Condition, 'group' | 'feeds'>> {
  if (extent === 'none') return [];
  return extent === 'alone' ? [{ group: 'alone', feeds }] : conditionsOf(feeds, extent);
}

async function run(session: InferenceSession, feeds: Feeds): Promise<string | undefined> {
  try {
    await session.run(Object.fromEntries([...feeds].map(([name, tensor]) => [name, toOrtTensor(tensor)])));
    return undefined;
  } catch (error) {
    return String(error);
  }
}

function toOrtTensor({ datatype, data, shape }: Tensor): OrtTensor {
  // See shared/runtime/session.ts: a Float16Array would be read as no bytes.
  if (datatype === 'FP16')
    return Object.assign(new OrtTensor('uint16', data, shape), { type: 'float16' as const });
  return new OrtTensor(DATATYPES[datatype].onnx, data, shape);
}

function say(line: string): void {
  writeSync(PROGRESS, `${line}\n`);
}
