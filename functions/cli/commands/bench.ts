import { Presets, SingleBar } from 'cli-progress';
import { BytesRequest, contentOf } from '../../../shared/http/bytes.ts';
import { HeaderList } from '../../../shared/http/header-list.ts';
import { createContext, requestUrl } from '../../host.ts';
import { describeLoad } from '../bench/describe-load.ts';
import { openHttpTarget, problemOf } from '../bench/http-target.ts';
import { type Load, type Send, sendLoad } from '../bench/send-load.ts';
import { summariseLoad } from '../bench/summarise-load.ts';
import { CommandError, type Console } from '../console.ts';
import { findModel, look } from '../find-model.ts';
import { type Body, readBody } from '../predict/read-body.ts';
import { readWhole } from '../words.ts';

export interface BenchOptions {
  readonly repository?: string;
  readonly data?: string;
  readonly connections: string;
  readonly duration: string;
}

/** What is measured, and how a request is sent to it. */
interface Target {
  readonly title: string;
  readonly send: Send;
  readonly close: () => Promise<void> | void;
}

/** Not counted: the first requests load the model, and the code becomes faster while it runs. */
const WARM_UP_SECONDS = 1;

/** `ternion bench`: how fast a URL, or a model in this process, answers one request again and again. */
export async function bench(argument: string, options: BenchOptions, output: Console): Promise<void> {
  const connections = readWhole(options.connections, '--connections', 1, 1024);
  const seconds = readWhole(options.duration, '--duration', 1, 86_400);
  const target = /^https?:\/\//i.test(argument)
    ? await openUrl(argument, options.data, connections)
    : await openModel(argument, options);
  try {
    const problem = await target.send();
    if (problem !== undefined) throw new CommandError(`The first request was not answered: ${problem}`);
    await sendLoad(target.send, { connections, seconds: WARM_UP_SECONDS });
    const load = await measure(target.send, connections, seconds, output);
    const summary = summariseLoad(load);
    if (!summary) throw new CommandError(`No request was answered: ${[...load.problems.keys()].join('; ')}`);
    const how = `${target.title}, ${connections === 1 ? '1 request' : `${connections} requests`} at a time`;
    output.result({ target: target.title, connections, ...summary, problems: load.problems }, () =>
      describeLoad(how, summary, load),
    );
    if (summary.errors > 0) process.exitCode = 3;
  } finally {
    await target.close();
  }
}

/** The bar is drawn at most this often. */
const DRAW_MS = 100;

async function measure(send: Send, connections: number, seconds: number, output: Console): Promise<Load> {
  if (!output.isTerminal) return await sendLoad(send, { connections, seconds });
  const format = '{bar} {percentage} %  {answers} answers  {rate} per second';
  const bar = new SingleBar({ format, stream: process.stderr, barsize: 30 }, Presets.shades_classic);
  bar.start(seconds, 0, { answers: 0, rate: 0 });
  let drawnMs = 0;
  try {
    return await sendLoad(send, {
      connections,
      seconds,
      onAnswer: (passed, answers) => {
        const nowMs = performance.now();
        if (nowMs - drawnMs < DRAW_MS) return;
        drawnMs = nowMs;
        bar.update(Math.min(passed, seconds), { answers, rate: Math.round(answers / passed) });
      },
    });
  } finally {
    bar.stop();
  }
}

/** Without data, a server of Ternion knows an example. */
async function openUrl(text: string, data: string | undefined, connections: number): Promise<Target> {
  if (!URL.canParse(text)) throw new CommandError(`${JSON.stringify(text)} is not a URL.`, 2);
  const url = new URL(text);
  const body = data === undefined ? await exampleOf(url) : await readBody(data, 'tensors');
  const { send, close } = openHttpTarget(url, body, connections);
  return { title: url.href, send, close };
}

async function exampleOf(url: URL): Promise<Body> {
  const [, model] = /^(.*\/models\/[^/]+)(?:\/versions\/[^/]+)?\/predict\/?$/.exec(url.pathname) ?? [];
  if (model === undefined) throw new CommandError(`--data is missing: the request to send to ${url.href}`, 2);
  const { ask, close } = openHttpTarget(url, undefined, 1);
  try {
    const answer = await ask('GET', model);
    if (answer.status !== 200) {
      throw new CommandError(`There is no example for the request: ${problemOf(answer)}. Use --data.`);
    }
    const { example }: { example?: unknown } = JSON.parse(answer.text);
    if (example === undefined)
      throw new CommandError('The model has no example for a request. Use --data.', 2);
    return { bytes: Buffer.from(JSON.stringify(example)) };
  } finally {
    close();
  }
}

/** The whole way of a request through Ternion, without HTTP. */
async function openModel(argument: string, { repository, data }: BenchOptions): Promise<Target> {
  const found = await findModel(argument, repository);
  const { app, reference } = found;
  const { kind, example } = await look(found, (model) => ({
    kind: model.contract.kind,
    example: model.example,
  }));
  if (data === undefined && example === undefined) {
    throw new CommandError('The model has no example for a request. Use --data.', 2);
  }
  const { bytes, type } = await readBody(data ?? JSON.stringify(example), kind);
  const path = requestUrl(`/models/${reference.name}/versions/${reference.version}/predict`);
  return {
    title: `${found.title} in this process`,
    send: async () => {
      const headers = new HeaderList(type === undefined ? {} : { 'content-type': type });
      const request = new BytesRequest(path, { method: 'POST', headers }, bytes);
      const response = await app.fetch(request, createContext(headers, undefined));
      if (response.status === 200) return undefined;
      return problemOf({ status: response.status, text: String(await contentOf(response)) });
    },
    close: () => app.close(),
  };
}
