import type { InferenceError } from '../../../shared/errors.ts';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import { HeaderList } from '../../../shared/http/header-list.ts';
import { isJsonObject, type JsonObject } from '../../../shared/json/json-value.ts';
import { parseJson } from '../../../shared/json/parse-json.ts';
import { JsonText } from '../../../shared/json/write-json.ts';
import { createContext, requestUrl } from '../../host.ts';
import { hidesReason, reasonsOf } from '../../own-code-reason.ts';
import { CommandError, type Console } from '../console.ts';
import { findModel, look } from '../find-model.ts';
import { describeAnswer } from '../predict/describe-answer.ts';
import { readBody } from '../predict/read-body.ts';
import { JSON_DEPTH } from '../words.ts';

export interface PredictOptions {
  readonly repository?: string;
}

/** `ternion predict`: one request to a model, answered as a server would. */
export async function predict(
  model: string,
  data: string,
  options: PredictOptions,
  output: Console,
): Promise<void> {
  const { app, reference } = await findModel(model, options.repository);
  const { kind, example } = await look({ app, reference }, (found) => ({
    kind: found.contract.kind,
    example: found.example,
  }));
  const { bytes: body, type, file } = await readBody(data, kind);
  const path = `/models/${reference.name}/versions/${reference.version}/predict`;
  const headers = new HeaderList(type === undefined ? {} : { 'content-type': type });
  const request = new BytesRequest(requestUrl(path), { method: 'POST', headers }, body);
  let reasons: readonly string[] = [];
  const onError = (error: InferenceError) => (reasons = reasonsOf(error));
  const response = await app.fetch(request, createContext(request.headers, undefined, { onError }));
  const bytes = Buffer.from(await response.bytes());
  const answer = parseJson(bytes, JSON_DEPTH);
  await app.close();
  if (!isJsonObject(answer)) throw new Error('an answer is always an object');
  if (response.status !== 200) {
    // The author of a step that failed is the one who reads this.
    const problem = hidesReason(answer.error) ? reasons.join(': ') : answer.error;
    const text = `${file === undefined ? '' : `${file}: `}${problem}`;
    const isTheirs = response.status < 500 && kind === 'tensors';
    throw new CommandError(isTheirs ? `${text}${describeExample(example)}` : text);
  }
  output.result(new JsonText(bytes.toString()), () => describeAnswer(answer));
}

/** Longest example that is useful. */
const LONGEST_EXAMPLE = 500;

/** An example, because nobody knows the tensors of a model by heart. */
function describeExample(example: JsonObject | undefined): string {
  const text = example === undefined ? '' : JSON.stringify(example);
  return text === '' || text.length > LONGEST_EXAMPLE ? '' : `\n  It takes, for example: ${text}`;
}
