// Measures this tree and a commit in one run, in turns: npm run bench -- --against <commit> [--rounds 7]
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityModel } from '../support/build-model.ts';
import { PROJECT } from '../support/project.ts';
import { frameworkCommand, type MeasuredServer, median, startMeasured } from './measured-server.ts';

/** Length of one turn. A figure comes from many short turns, so that other load on the machine affects both sides equally. */
const SECONDS = 0.1;
const TURNS = 12;
const WARM_UP_SECONDS = 0.5;
/** FLOAT in ONNX. */
const FLOAT = 1;

const TARGETS: Readonly<Record<string, (project: string) => (port: number) => readonly string[]>> = {
  'ternion serve': (project) => (port) => [
    join(project, 'dist/cli/index.mjs'),
    'serve',
    `--port=${port}`,
    `--repository=${join(PROJECT, 'models')}`,
  ],
  'dist/gcp': (project) => frameworkCommand(project, 'gcp'),
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

/** The machine is warmer for the second one, so they swap places. */
function inTurn(sides: readonly Side[], turn: number): readonly Side[] {
  return turn % 2 === 0 ? sides : [...sides].reverse();
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
      const server = await startMeasured(command, side.project);
      servers.set(side, server);
      note(side, `${name}: start to first answer, ms`, server.firstAnswerMs);
    }
    for (const connections of [1, 16]) {
      for (const server of servers.values()) await server.load(connections, WARM_UP_SECONDS);
      await inTurns(sides, `${name}: answers/s at ${connections}`, async (side) => {
        return (await servers.get(side)?.load(connections, SECONDS)) ?? 0;
      });
    }
  } finally {
    for (const server of servers.values()) await server.stop();
  }
}

async function startTensors(project: string, repository: string): Promise<ChildProcess> {
  const child = fork(join(PROJECT, 'test/bench/tensor-process.ts'), [project, repository], {
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
    const ratios = values.map((value, round) => value / (others[round] ?? Number.NaN)).sort((a, b) => a - b);
    const [least = 0, most = 0] = [ratios[0], ratios.at(-1)];
    return {
      measured: name,
      here: Number(median(values).toPrecision(4)),
      [hash]: Number(median(others).toPrecision(4)),
      ratio: Number(median(ratios).toFixed(3)),
      range: `${least.toFixed(2)} to ${most.toFixed(2)}`,
    };
  });
  console.table(rows);
}
