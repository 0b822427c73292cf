import { readModelFile } from '../../../shared/inference/load-model.ts';
import type { JsonValue } from '../../../shared/json/json-value.ts';
import { parseMembers } from '../../../shared/json/members.ts';
import { CONFIG_FILE } from '../../../shared/models/version-folder.ts';
import type { ValueInfo } from '../../../shared/onnx/value-info.ts';
import { datatypeOfOnnxCode } from '../../../shared/tensor/datatype.ts';
import { CommandError, type Console } from '../console.ts';
import { type FoundModel, findPublished, look } from '../find-model.ts';
import { ask, findDifference, tryModel, withoutModel } from '../publish/try-model.ts';
import { openModel } from '../release/change-model.ts';
import { metricsOf } from '../release/metrics-of.ts';
import { countOf } from '../words.ts';

export interface DiffOptions {
  readonly repository: string;
}

/** What is compared of a version: names with values, as texts. */
type Facts = ReadonlyMap<string, string>;

type Difference = {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
};

/** `ternion diff`: how two versions of a model differ in graph, config, metrics and answers. */
export async function diff(
  model: string,
  a: string,
  b: string,
  { repository }: DiffOptions,
  output: Console,
): Promise<void> {
  const { current, store } = await openModel(repository, model, output);
  const before = await findPublished(repository, model, a);
  try {
    const after = await findPublished(repository, model, b);
    try {
      const [first, second] = [await read(before), await read(after)];
      const metrics = async ({ reference }: FoundModel): Promise<Facts> =>
        textsOf(await metricsOf(store, model, reference.version, current));
      const answers = await compareAnswers(before, after);
      const found = {
        graph: differences(first.graph, second.graph),
        config: differences(first.config, second.config),
        metrics: differences(await metrics(before), await metrics(after)),
      };
      output.result({ model, before: a, after: b, ...found, answers }, () =>
        [
          ...describe('graph', found.graph),
          ...describe('config', found.config),
          ...describe('metrics', found.metrics),
          answers.requests === 0
            ? 'answers: there is no request to compare them with'
            : `answers: ${answers.same} of ${countOf(answers.requests, 'request')} the same`,
          ...answers.differences.map((each) => `  ${each}`),
        ].join('\n'),
      );
    } finally {
      await after.app.close();
    }
  } finally {
    await before.app.close();
  }
}

async function read(model: FoundModel): Promise<{ readonly graph: Facts; readonly config: Facts }> {
  const folder = await model.app.inference.repository.open(model.reference);
  try {
    const graph = await readModelFile(folder.modelPath);
    const config = await folder.read(CONFIG_FILE);
    const size = await look(model, ({ sizeBytes }) => sizeBytes);
    return {
      graph: new Map([
        ['size in bytes', String(size)],
        ['operators', [...graph.operators].sort().join(', ')],
        [
          'opsets',
          [...graph.opsets].map(([domain, version]) => `${domain || 'ai.onnx'} ${version}`).join(', '),
        ],
        ...graph.inputs.map((value): [string, string] => [`input ${value.name}`, describeValue(value)]),
        ...graph.outputs.map((value): [string, string] => [`output ${value.name}`, describeValue(value)]),
      ]),
      config: textsOf(withoutMetrics(config === undefined ? {} : parseMembers(config))),
    };
  } finally {
    await folder.release();
  }
}

/** Metrics are compared with those that were noted since. */
function withoutMetrics({ metrics, ...others }: Readonly<Record<string, unknown>>) {
  return others;
}

function textsOf(values: Readonly<Record<string, unknown>>): Facts {
  return new Map(Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)]));
}

function describeValue(value: ValueInfo): string {
  const { elementType, shape } = value;
  const type = elementType === undefined ? value.kind : (datatypeOfOnnxCode(elementType) ?? elementType);
  return `${type} [${shape?.join(', ') ?? '...'}]`;
}

function differences(before: Facts, after: Facts): readonly Difference[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [old, now] = [before.get(name) ?? null, after.get(name) ?? null];
    return old === now ? [] : { name, before: old, after: now };
  });
}

function describe(title: string, found: readonly Difference[]): readonly string[] {
  if (found.length === 0) return [`${title}: the same`];
  return [
    `${title}:`,
    ...found.map(({ name, before, after }) => `  ${name}: ${before ?? 'none'} -> ${after ?? 'none'}`),
  ];
}

/** Most differences that are shown. */
const SHOWN = 5;

/** Sends both versions the requests that each of them is known to answer. */
async function compareAnswers(before: FoundModel, after: FoundModel) {
  const exchanges = [...(await exchangesOf(before)), ...(await exchangesOf(after))];
  const found: string[] = [];
  for (const [index, { request }] of exchanges.entries()) {
    const [first, second] = [await answerOf(before, request), await answerOf(after, request)];
    const difference = findDifference(first, second, '');
    if (difference !== undefined) found.push(`request ${index}: ${difference}`);
  }
  return {
    requests: exchanges.length,
    same: exchanges.length - found.length,
    differences: found.slice(0, SHOWN),
  };
}

async function exchangesOf(model: FoundModel) {
  try {
    return (await tryModel(model)).exchanges;
  } catch (error) {
    // It does not answer its own requests as expected, which is for "ternion promote" to say.
    if (error instanceof CommandError) return [];
    throw error;
  }
}

async function answerOf(model: FoundModel, request: Parameters<typeof ask>[1]): Promise<JsonValue> {
  try {
    return withoutModel(await ask(model, request));
  } catch (error) {
    if (error instanceof CommandError) return { error: error.message };
    throw error;
  }
}
