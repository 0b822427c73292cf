// Loads a graph with the first request, runs it once, and answers. Usage: load-server.ts <port> <form> <file>
// The form is `path` for a file, `simplified` for one that needs no further simplification, or `bytes` for bytes that are in
// memory and are written to a file first.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listen } from './listen.ts';

process.env.ORT_DISABLE_TELEMETRY = '1';

const [form = '', file = ''] = process.argv.slice(3);
const bytes = form === 'bytes' ? readFileSync(file) : undefined;

listen(async (body) => {
  if (body.length === 0) return 'ok';
  const folder = await mkdtemp(join(tmpdir(), 'ternion-load-'));
  try {
    const path = bytes === undefined ? file : join(folder, 'model.onnx');
    if (bytes !== undefined) await writeFile(path, bytes);
    const { default: ort } = await import('onnxruntime-node');
    const session = await ort.InferenceSession.create(path, {
      intraOpNumThreads: 1,
      graphOptimizationLevel: form === 'simplified' ? 'disabled' : 'all',
    });
    const image = new ort.Tensor('float32', new Float32Array(3 * 224 * 224), [1, 3, 224, 224]);
    const { logits } = await session.run({ image });
    return JSON.stringify(Object(logits).dims);
  } finally {
    await rm(folder, { recursive: true });
  }
});
