import { readFileSync } from 'node:fs';

/** What a process and its children use. */
export interface Usage {
  /** Since their start; children that have ended do not count. */
  readonly cpuSeconds: number;
  /** Memory of its own, and its share of what it shares with other processes. */
  readonly pssMegabytes: number;
  readonly residentMegabytes: number;
}

/** Linux reports CPU time in units of 10 ms on every machine. Source: proc(5), sysconf(_SC_CLK_TCK). */
const TICKS_PER_SECOND = 100;

/**
 * Reads the usage of a process with all its children from /proc.
 *
 * @throws Error if there is no such process, or on systems other than Linux
 */
export function usageOf(pid: number): Usage {
  const each = treeOf(pid).map((member) => {
    const [, rest = ''] = /\) (.*)/s.exec(readFileSync(`/proc/${member}/stat`, 'utf8')) ?? [];
    // The name ends with a parenthesis; after it, the state is the first field and utime the twelfth.
    const [user = 0, system = 0] = rest.split(' ').slice(11, 13).map(Number);
    const memory = readFileSync(`/proc/${member}/smaps_rollup`, 'utf8');
    return { ticks: user + system, pss: kilobytesOf(memory, 'Pss'), resident: kilobytesOf(memory, 'Rss') };
  });
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    cpuSeconds: sum(each.map(({ ticks }) => ticks)) / TICKS_PER_SECOND,
    pssMegabytes: sum(each.map(({ pss }) => pss)) * 1.024e-3,
    residentMegabytes: sum(each.map(({ resident }) => resident)) * 1.024e-3,
  };
}

function treeOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return [pid, ...children.flatMap((child) => treeOf(Number(child)))];
}

function kilobytesOf(text: string, name: string): number {
  return Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1] ?? Number.NaN);
}
