// The smallest possible server: node:http and ONNX Runtime, one model, no checks. Usage: bare-server.ts <port>
import { createServer } from 'node:http';
import { join } from 'node:path';
import ort from 'onnxruntime-node';

// As in Ternion: the runtime's telemetry costs a thread and files.
process.env.ORT_DISABLE_TELEMETRY = '1';

const session = await ort.InferenceSession.create(
  join(import.meta.dirname, '../../models/iris/2/model.onnx'),
  {
    intraOpNumThreads: 1,
  },
);

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { features }: { features: number[] } = JSON.parse(Buffer.concat(chunks).toString());
    const feeds = { features: new ort.Tensor('float32', Float32Array.from(features), [1, 4]) };
    session.run(feeds).then(
      ({ logits }) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ logits: Array.from(Object(logits).data) }));
      },
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
