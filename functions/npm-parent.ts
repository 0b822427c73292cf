import { readFileSync } from 'node:fs';

/** How often it is looked whether npm is still there. */
const LOOK_MS = 500;
/** The parent may be a shell or a program that sets variables, or both. */
const MOST_ANCESTORS = 3;

/**
 * Tells when the npm that runs this process as its command has ended, as `npx` and `npm start` do: npm passes on signals
 * to its shell alone, and none when it is killed. Where the system has no /proc, only the end of the process is seen that
 * started this one.
 *
 * @returns whether npm runs this process; where it does not, as with nohup, systemd and other programs, what started it
 * may end before it does
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

/** The processes from the parent up to npm; none where npm is not among them, as after it has put a server into the background. */
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

/** The system gives a process whose parent has ended to another one. */
function isSame(ancestors: readonly number[]): boolean {
  if (process.ppid !== ancestors[0]) return false;
  return ancestors.every((pid, index) => {
    const parent = ancestors[index + 1];
    return parent === undefined || parentOf(pid) === parent;
  });
}

/** Undefined where the system does not tell. Its second field is a name in parentheses, which may hold any character. */
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
