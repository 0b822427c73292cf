import * as z from 'zod';
import { curlCommand } from '../curl-command.ts';

const listSchema = z.object({
  models: z.array(z.object({ name: z.string(), versions: z.array(z.string()) })),
});

const modelSchema = z.object({
  version: z.string(),
  task: z.string(),
  example: z.record(z.string(), z.json()).optional(),
});

/** What the server at a URL serves, with one command per model that calls it. */
export async function describeExamples(url: string): Promise<string> {
  const listed = await getJson(`${url}/models`);
  const parsed = listSchema.safeParse(listed);
  if (!parsed.success) throw new Error(errorTextOf(listed));
  const { models } = parsed.data;
  const lines = [`Ternion serves ${models.length} models at ${url}`];
  for (const { name, versions } of models) {
    lines.push('', ...(await describeModel(url, name, versions)));
  }
  return lines.join('\n');
}

async function describeModel(url: string, name: string, versions: readonly string[]): Promise<string[]> {
  const described = await getJson(`${url}/models/${name}`);
  const model = modelSchema.safeParse(described);
  if (!model.success) return [`${name} (versions ${versions.join(', ')}): ${errorTextOf(described)}`];
  const { version, task, example } = model.data;
  const title = `${name} (versions ${versions.join(', ')}; live: ${version}): ${task}`;
  if (!example) return [title];
  return [title, `  ${curlCommand(url, name, example)}`];
}

async function getJson(url: string): Promise<unknown> {
  return await (await fetch(url)).json();
}

function errorTextOf(answer: unknown): string {
  const parsed = z.object({ error: z.string() }).safeParse(answer);
  return parsed.success ? parsed.data.error : `unexpected answer ${JSON.stringify(answer)}`;
}
