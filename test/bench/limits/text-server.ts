// The least that makes a vector of a text: a tokenizer from a library, the run, the mean of all tokens, length 1.
// Usage: text-server.ts <port> <folder of the model>
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import ort from 'onnxruntime-node';
import { listen } from './listen.ts';

process.env.ORT_DISABLE_TELEMETRY = '1';

const folder = process.argv[3] ?? '';
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const tokenizer = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
const session = await ort.InferenceSession.create(join(folder, 'model.onnx'), { intraOpNumThreads: 1 });

listen(async (body) => {
  const { ids } = tokenizer.encode(JSON.parse(body.toString()).text);
  const shape = [1, ids.length];
  const results = await session.run({
    input_ids: new ort.Tensor('int64', BigInt64Array.from(ids, BigInt), shape),
    attention_mask: new ort.Tensor('int64', new BigInt64Array(ids.length).fill(1n), shape),
    token_type_ids: new ort.Tensor('int64', new BigInt64Array(ids.length), shape),
  });
  const { data, dims } = Object(results.last_hidden_state);
  const size = dims[2];
  const vector = new Float64Array(size);
  for (let at = 0; at < data.length; at++) vector[at % size] = (vector[at % size] ?? 0) + data[at];
  const length = Math.hypot(...vector);
  return JSON.stringify({ embedding: Array.from(vector, (value) => value / length) });
});
