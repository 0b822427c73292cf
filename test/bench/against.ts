// Measures this tree and a commit in one run, in turns: npm run bench -- --against <commit> [--rounds 7]
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FLOAT, identityModel } from '../support/build-model.ts';
import { MODELS, PROJECT } from '../support/project.ts';
import { FLOWER } from './requests.ts';
import { inTurn } from './scenario.ts';
import {
  ask,
  frameworkCommand,
  type MeasuredServer,
  type ServerCommand,
  serveCommand,
  startServer,
} from './servers.ts';
import { median, ratioByPairs } from './statistics.ts';

/** Length of one turn. A figure comes from many short turns, so that other load on the machine affects both sides equally. */
const SECONDS = 0.1;
const TURNS = 12;
const WARM_UP_SECONDS = 0.5;
const TARGETS: Readonly<Record<string, (project: string) => ServerCommand['command']>> = {
  'ternion serve': (project) => serveCommand(MODELS, project),
  'dist/gcp': (project) => frameworkCommand('gcp', project),
};

interface Side {
  readonly project: string;
  /** Figures of each round, by what was measured. */
  readonly figures: Map<string, number[]>;
  tensors?: ChildProcess;
}

/** Prints the ratios of this tree to a commit, which is built in a worktree of its own and removed at the end. */
export async function benchAgainst(commit: string, rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ternion-bench-'));
  const other = join(folder, 'tree');
  const run = (command: string, args: readonly string[], cwd: string) =>
    execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  const hash = execFileSync('git', ['rev-parse', '--short', `${commit}^{commit}`], {
    cwd: PROJECT,
    encoding: 'utf8',
  });
  run('git', ['worktree', 'add', '--detach', '--quiet', other, hash.trim()], PROJECT);
  const sides: readonly Side[] = [PROJECT, other].map((project) => ({ project, figures: new Map() }));
  const clean = () => {
    for (const { tensors } of sides) tensors?.kill('SIGKILL');
    run('git', ['worktree', 'remove', '--force', other], PROJECT);
    rmSync(folder, { recursive: true, force: true });
  };
  const interrupt = () => {
    clean();
    process.exit(130);
  };
  process.once('SIGINT', interrupt);
  try {
    console.log(`builds ${hash.trim()} and this tree`);
    run('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], other);
    for (const { project } of sides) run('npm', ['run', 'build', '--', 'cli', 'gcp'], project);
    const repository = join(folder, 'models');
    mkdirSync(join(repository, 'same/1'), { recursive: true });
    writeFileSync(join(repository, 'same/1/model.onnx'), identityModel(FLOAT, [1, 3, 224, 224]));
    for (const side of sides) side.tensors = await startTensors(side.project, repository);
    for (let round = 0; round < rounds; round++) {
      console.log(`round ${round + 1} of ${rounds}`);
      for (const name of Object.keys(TARGETS)) await measureServers(inTurn(sides, round), name);
      await inTurns(sides, 'V2 binary, 600 KB, in process, ms', measureTensors);
    }
    report(sides, hash.trim());
  } finally {
    process.off('SIGINT', interrupt);
    clean();
  }
}

/** Measures all sides several times in turns, and keeps the median of each. */
async function inTurns(
  sides: readonly Side[],
  name: string,
  measure: (side: Side) => Promise<number>,
): Promise<void> {
  const values = new Map(sides.map((side): [Side, number[]] => [side, []]));
  for (let turn = 0; turn < TURNS; turn++)
    for (const side of inTurn(sides, turn)) values.get(side)?.push(await measure(side));
  for (const [side, each] of values) note(side, name, median(each));
}

async function measureServers(sides: readonly Side[], name: string): Promise<void> {
  const servers = new Map<Side, MeasuredServer>();
  try {
    for (const side of sides) {
      const command = TARGETS[name]?.(side.project);
      if (!command) throw new Error(`no command for ${name}`);
      const environment = { PRELOAD_MODELS: 'iris' };
      const server = await startServer({ command, environment, cwd: side.project }, FLOWER);
      servers.set(side, server);
      note(side, `${name}: start to first answer, ms`, server.firstAnswerMs);
    }
    for (const connections of [1, 16]) {
      for (const server of servers.values()) await load(server, connections, WARM_UP_SECONDS);
      await inTurns(sides, `${name}: answers/s at ${connections}`, async (side) => {
        return await load(servers.get(side), connections, SECONDS);
      });
    }
  } finally {
    for (const server of servers.values()) await server.stop();
  }
}

/** Answers per second. A turn is too short for a load generator, which would only begin to be fast. */
async function load(
  server: MeasuredServer | undefined,
  connections: number,
  seconds: number,
): Promise<number> {
  if (!server) throw new Error('the server was not started');
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const endMs = performance.now() + seconds * 1000;
  let answered = 0;
  const worker = async () => {
    while (performance.now() < endMs) if ((await ask(server.port, FLOWER, agent)).status === 200) answered++;
  };
  await Promise.all(Array.from({ length: connections }, worker));
  agent.destroy();
  return answered / seconds;
}

async function startTensors(project: string, repository: string): Promise<ChildProcess> {
  const child = fork(join(PROJECT, 'test/bench/processes/tensor-in-turns.ts'), [project, repository], {
    env: { ...process.env, INTRA_OP_THREADS: '1', NODE_ENV: 'production' },
  });
  await messageOf(child);
  return child;
}

async function measureTensors({ tensors }: Side): Promise<number> {
  if (!tensors) throw new Error('the process was not started');
  tensors.send(SECONDS);
  return Number(await messageOf(tensors));
}

async function messageOf(child: ChildProcess): Promise<unknown> {
  const done = new AbortController();
  const ended = async () => {
    const [code]: unknown[] = await once(child, 'exit', done);
    throw new Error(`the process ended with ${code}`);
  };
  try {
    const [value]: unknown[] = await Promise.race([once(child, 'message', done), ended()]);
    return value;
  } finally {
    done.abort();
  }
}

function note({ figures }: Side, name: string, value: number): void {
  figures.set(name, [...(figures.get(name) ?? []), value]);
}

/** The ratio is the median of those of the rounds, with its range: a range around 1 shows no difference. */
function report([ours, theirs]: readonly Side[], hash: string): void {
  const rows = [...(ours?.figures ?? [])].map(([name, values]) => {
    const others = theirs?.figures.get(name) ?? [];
    const ratio = ratioByPairs(values, others);
    return {
      measured: name,
      here: Number(median(values).toPrecision(4)),
      [hash]: Number(median(others).toPrecision(4)),
      ratio: Number(ratio.median.toFixed(3)),
      range: `${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)}`,
    };
  });
  console.table(rows);
}
