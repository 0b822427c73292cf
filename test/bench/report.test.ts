import { describe, expect, it } from 'vitest';
import { formatNumber } from './report/format.ts';
import { targetTable, writePage } from './report/page.ts';
import { plotOf } from './report/plot.ts';
import { tableOf, toMarkdown, toText } from './report/table.ts';
import { checkTargets, explainMissed, TARGETS } from './report/targets.ts';
import { createRecorder, type Results, type ScenarioResult } from './results.ts';
import { SCENARIOS } from './scenarios.ts';

const RATES = {
  'ternion serve': [700, 900, 800],
  bare: [1000, 1000, 1000],
  'hand-written': [1000, 900, 1000],
};

/** The rates of three rounds at 16 connections, and a memory that the bare server lacks. */
function makeResult(): ScenarioResult {
  const recorder = createRecorder();
  for (const [name, values] of Object.entries(RATES))
    for (const value of values) recorder.record('16 connections', 'rate', name, value);
  recorder.record('at the end', 'pss', 'ternion serve', 81.25);
  recorder.note('12 requests failed.');
  recorder.note('12 requests failed.');
  return {
    name: 'iris',
    title: 'Iris',
    about: 'Flowers.',
    contenders: [
      { name: 'ternion serve', role: 'ours' },
      { name: 'bare', role: 'limit' },
      { name: 'hand-written', role: 'limit' },
      { name: 'Flask', role: 'peer' },
    ],
    plot: 'rate',
    measurements: recorder.measurements,
    notes: recorder.notes,
  };
}

describe('a number', () => {
  it.each([
    [0, '0.00'],
    [0.012345, '0.012'],
    [1.2345, '1.23'],
    [12.345, '12.3'],
    [123.45, '123'],
    [1234.5, '1,235'],
    [45_417, '45,420'],
    [1_234_567, '1,235,000'],
    [-12.345, '-12.3'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
  ])('%d is written as %s', (value, expected) => {
    expect(formatNumber(value)).toBe(expected);
  });
});

describe('the table of a scenario', () => {
  it('has medians, and ratios of the rounds with their range', () => {
    expect(tableOf(makeResult())).toEqual({
      header: [
        'Condition',
        'Measured',
        'ternion serve',
        'bare',
        'hand-written',
        'ternion serve ÷ bare',
        'ternion serve ÷ hand-written',
      ],
      rows: [
        ['16 connections', 'requests/s', '800', '1,000', '1,000', '0.80 (0.70–0.90)', '0.80 (0.70–1.00)'],
        ['at the end', 'PSS, MB', '81.3', '–', '–', '–', '–'],
      ],
    });
  });

  it('has no column for a limit that is never measured together with a contender', () => {
    const result = makeResult();
    const contenders = [...result.contenders, { name: 'alone', role: 'ours' } as const];
    const measurement = { condition: 'other', metric: 'p50', values: { alone: [1] } } as const;
    const { header } = tableOf({
      ...result,
      contenders,
      measurements: [...result.measurements, measurement],
    });
    expect(header.slice(-3)).toEqual(['alone', 'ternion serve ÷ bare', 'ternion serve ÷ hand-written']);
  });

  it('is aligned for a terminal and for Markdown, where a bar does not end a cell', () => {
    const table = { header: ['What', 'Unit', 'Ours'], rows: [['a|b', 's', '1,000']] };
    expect(toText(table)).toBe('What  Unit   Ours\na|b   s     1,000');
    expect(toMarkdown(table)).toBe('| What | Unit | Ours |\n| --- | --- | ---: |\n| a\\|b | s | 1,000 |');
  });
});

describe('the targets', () => {
  it('that are missed are explained, and only those', () => {
    const from = (ms: number): ScenarioResult => {
      const recorder = createRecorder();
      for (const value of [ms, ms, ms]) {
        recorder.record('1 connection', 'p50', 'ternion serve', value);
        recorder.record('1 connection', 'p50', 'bare', 1);
      }
      return { ...makeResult(), measurements: recorder.measurements };
    };
    expect(explainMissed({ scenarios: [from(2)] })).toEqual([
      expect.stringMatching(/^- `ternion serve`, p50 at one connection: Nothing runs side by side/),
    ]);
    expect(explainMissed({ scenarios: [from(1)] })).toEqual([]);
  });

  it('are compared with the median of the ratios', () => {
    const rows = checkTargets({ scenarios: [makeResult()] });
    expect(rows.slice(0, 4)).toEqual([
      {
        what: '`ternion serve`, requests/s at 16 connections',
        target: 'at least 0.7 × bare',
        measured: '0.80 (0.70–0.90)',
        isMet: true,
      },
      {
        what: '`ternion serve`, requests/s at 16 connections',
        target: 'at least 0.85 × hand-written',
        measured: '0.80 (0.70–1.00)',
        isMet: false,
      },
      {
        what: 'functions framework, requests/s at 16 connections',
        target: 'at least 0.65 × bare',
        measured: '–',
        isMet: undefined,
      },
      {
        what: '`ternion serve`, p50 at one connection',
        target: 'at most 1.25 × bare',
        measured: '–',
        isMet: undefined,
      },
    ]);
    expect(targetTable({ scenarios: [makeResult()] }).rows.map(([, , , met]) => met)).toEqual(
      rows.map(({ isMet }) => (isMet === undefined ? 'not measured' : isMet ? 'yes' : 'no')),
    );
  });

  it('may be missed by a factor', () => {
    const areMet = (slack: number) =>
      checkTargets({ scenarios: [makeResult()] }, slack)
        .slice(0, 2)
        .map(({ isMet }) => isMet);
    expect([areMet(1), areMet(1.05), areMet(1.1)]).toEqual([
      [true, false],
      [true, false],
      [true, true],
    ]);
  });

  it('name contenders and units of their scenario', () => {
    const handler = {
      ...makeResult(),
      name: 'handler',
      measurements: [
        { condition: 'http-api', metric: 'microseconds50', values: { 'Lambda handler': [13, 11, 12] } },
      ],
    } as const;
    expect(checkTargets({ scenarios: [handler] })).toContainEqual({
      what: 'Lambda handler without the run, p50',
      target: 'at most 12 µs',
      measured: '12.0',
      isMet: true,
    });
  });
});

describe('the plot of a scenario', () => {
  const svg = plotOf(makeResult());

  it('has a bar for each contender, as long as its median, with the range of the rounds', () => {
    const bars = [...svg.matchAll(/<rect class="c(\d)" x="246" y="(\d+)" width="([\d.]+)" height="16"/g)];
    expect(bars.map(([, colour, , width]) => [colour, Number(width)])).toEqual([
      ['0', 334.4],
      ['1', 418],
      ['2', 418],
    ]);
    const ranges = [...svg.matchAll(/d="M([\d.]+) [\d.]+H([\d.]+)"/g)].map(([, from, to]) => [from, to]);
    expect(ranges).toEqual([
      ['538.6', '622.2'],
      ['664', '664'],
      ['622.2', '664'],
    ]);
  });

  it('says what it shows, and in which direction is better', () => {
    expect(svg).toContain('aria-label="Iris: requests/s, more is better"');
    expect([...svg.matchAll(/class="value">([^<]+)</g)].map(([, value]) => value)).toEqual([
      '800',
      '1,000',
      '1,000',
    ]);
  });

  it('has colours for light and for dark', () => {
    expect(svg).toContain('.c0{fill:#0b6bcb}.c1{fill:#a3a3ad}.c2{fill:#6b6b76}');
    expect(svg).toMatch(/@media \(prefers-color-scheme:dark\)\{[^@]*\.c0\{fill:#5aa9ff\}/);
  });

  it('escapes names', () => {
    expect(plotOf({ ...makeResult(), title: 'a < b & "c"' })).toContain(
      '>a &lt; b &amp; &quot;c&quot;</text>',
    );
  });

  it('of a scenario that failed is an empty picture', () => {
    expect(plotOf({ ...makeResult(), measurements: [] })).not.toMatch(/NaN|Infinity/);
  });
});

describe('the page', () => {
  const results: Results = {
    machine: {
      date: '2026-11-29',
      commit: 'abc1234',
      processor: 'A processor',
      cores: 2,
      memoryGigabytes: 25,
      system: 'Linux 6.1 x64',
      node: '24.21.0',
      runtime: '1.30.0',
      load: 'wrk 4.1.0 with one thread',
    },
    isQuick: false,
    scenarios: [makeResult()],
  };

  it('has the machine, the targets, and each scenario with its picture, table and notes', () => {
    const files = writePage(results);
    expect([...files.keys()]).toEqual(['benchmarks.md', 'images/bench-iris.svg']);
    const page = files.get('benchmarks.md') ?? '';
    expect(page).toContain('made this page on 2026-11-29');
    expect(page).toContain('- Machine: A processor, 2 cores, 25 GB, Linux 6.1 x64');
    expect(page).toContain('- Ternion abc1234, Node 24.21.0, ONNX Runtime 1.30.0');
    expect(page).toContain('\n## Targets\n');
    expect(page).toContain('\n## Iris\n\nFlowers. (`npm run bench -- --only iris`)\n');
    expect(page).toContain('\n![Iris](images/bench-iris.svg)\n');
    expect(page).toContain('| 16 connections | requests/s | 800 | 1,000 | 1,000 | 0.80 (0.70–0.90) |');
    expect(page.match(/12 requests failed\./g)).toHaveLength(1);
    expect(page).not.toContain('--quick');
  });

  it('says that a quick run is rough', () => {
    expect(writePage({ ...results, isQuick: true }).get('benchmarks.md')).toContain('its values are rough');
  });
});

describe('the scenarios', () => {
  it('have names of their own, and contenders to compare', () => {
    const names = SCENARIOS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(10);
    const without = SCENARIOS.filter(({ contenders }) => !contenders.some(({ role }) => role === 'ours'));
    expect(without).toEqual([]);
  });

  it('have all that the targets name', () => {
    const known = SCENARIOS.map(({ name, contenders }) => ({
      name,
      of: contenders.map((each) => each.name),
    }));
    const wrong = TARGETS.filter(({ scenario, ours, limit }) => {
      const { of = [] } = known.find(({ name }) => name === scenario) ?? {};
      return !of.includes(ours) || (limit !== undefined && !of.includes(limit));
    });
    expect(wrong).toEqual([]);
  });
});
