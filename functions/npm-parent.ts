import { readFileSync } from 'node:fs';

/** How often to check whether npm is still running. */
const LOOK_MS = 500;
/** Between npm and this process there may be a shell, a program that sets variables, or both. */
const MOST_ANCESTORS = 3;

/**
 * Notices when the npm that runs this process has ended (`npx` or `npm start`): npm passes signals only to its shell,
 * and none if it is killed. Without /proc, only the end of the parent process is noticed.
 *
 * @returns whether npm runs this process; with nohup, systemd and other programs, the process that started it may end
 * first
 */
export function watchNpm(environment: NodeJS.ProcessEnv, onEnd: () => void): boolean {
  if (environment.npm_lifecycle_event === undefined) return false;
  const ancestors = findAncestors(process.ppid);
  if (ancestors.length === 0) return false;
  const timer = setInterval(() => {
    if (isSame(ancestors)) return;
    clearInterval(timer);
    onEnd();
  }, LOOK_MS);
  timer.unref();
  return true;
}

/**
 * The processes from the parent up to npm; empty if npm is not among them, as when a script has put the server into the
 * background.
 */
function findAncestors(parent: number): readonly number[] {
  const found: number[] = [];
  let pid: number | undefined = parent;
  while (pid !== undefined && pid > 0 && found.length < MOST_ANCESTORS) {
    found.push(pid);
    const title = readProcess(pid, 'cmdline');
    if (title === undefined || /^npm\b/.test(title)) return found;
    pid = parentOf(pid);
  }
  return [];
}

/** Whether the ancestors are still the same: the system gives a process whose parent has ended a new one. */
function isSame(ancestors: readonly number[]): boolean {
  if (process.ppid !== ancestors[0]) return false;
  return ancestors.every((pid, index) => {
    const parent = ancestors[index + 1];
    return parent === undefined || parentOf(pid) === parent;
  });
}

/** Undefined if the system does not say. The second field of `stat` is a name in parentheses, with any characters. */
function parentOf(pid: number): number | undefined {
  const fields = readProcess(pid, 'stat')?.split(') ').at(-1)?.split(' ');
  return fields?.[1] === undefined ? undefined : Number(fields[1]);
}

function readProcess(pid: number, file: 'cmdline' | 'stat'): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
