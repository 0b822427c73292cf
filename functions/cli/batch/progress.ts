import { Presets, SingleBar } from 'cli-progress';
import type { Console } from '../console.ts';

export interface Progress {
  update(position: number, rows: number, bad: number): void;
  stop(): void;
}

const FORMAT = '{bar} {percentage} %  {rows} rows  {rate} rows/s  {bad} bad  {left} left';
/** Leaves room for the words in 80 columns. */
const BAR_COLUMNS = 24;
/** Without a terminal for a bar, a line now and then shows that the batch is still running. */
const NOTE_MS = 10_000;

/** Shows how far a batch is: a bar on a terminal, lines in a log, nothing with `--json`. */
export function createProgress(total: number, output: Console, noteMs = NOTE_MS): Progress {
  if (output.isJson) return { update: () => undefined, stop: () => undefined };
  const startMs = performance.now();
  return output.isTerminal ? showBar(total, startMs) : noteLines(total, startMs, output, noteMs);
}

function showBar(total: number, startMs: number): Progress {
  const bar = new SingleBar(
    { format: FORMAT, stream: process.stderr, hideCursor: true, barsize: BAR_COLUMNS },
    Presets.shades_classic,
  );
  const start = { rows: 0, rate: 0, bad: 0, left: '…' };
  bar.start(Math.max(1, total), 0, start);
  return {
    update: (position, rows, bad) => {
      const seconds = (performance.now() - startMs) / 1000;
      bar.update(position, {
        rows,
        bad,
        rate: Math.round(rows / seconds),
        left: timeLeft(position, total, seconds),
      });
    },
    stop: () => bar.stop(),
  };
}

function noteLines(total: number, startMs: number, output: Console, noteMs: number): Progress {
  let notedMs = startMs;
  return {
    update: (position, rows, bad) => {
      const nowMs = performance.now();
      if (nowMs - notedMs < noteMs) return;
      notedMs = nowMs;
      const seconds = (nowMs - startMs) / 1000;
      const percent = Math.floor((100 * position) / Math.max(1, total));
      output.note(
        `${percent} %, ${rows} rows, ${Math.round(rows / seconds)} rows/s, ${bad} bad, ${timeLeft(position, total, seconds)} left`,
      );
    },
    stop: () => undefined,
  };
}

function timeLeft(position: number, total: number, seconds: number): string {
  return position === 0 ? '…' : formatSeconds((seconds * (total - position)) / position);
}

/** The two largest units: `2h 05m`, `3m 20s`, `12s`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const two = (value: number) => String(value).padStart(2, '0');
  if (hours > 0) return `${hours}h ${two(minutes)}m`;
  return minutes > 0 ? `${minutes}m ${two(whole % 60)}s` : `${whole}s`;
}
