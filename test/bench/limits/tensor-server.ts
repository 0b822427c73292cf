// A tensor in and out by the Open Inference Protocol, without checks. Usage: tensor-server.ts <port> <model.onnx>
import ort from 'onnxruntime-node';
import { listen } from './listen.ts';

process.env.ORT_DISABLE_TELEMETRY = '1';

const session = await ort.InferenceSession.create(process.argv[3] ?? '', { intraOpNumThreads: 1 });

listen(async (body, request) => {
  const length = request.headers['inference-header-content-length'];
  const headLength = length === undefined ? body.length : Number(length);
  const { inputs } = JSON.parse(body.toString('utf8', 0, headLength));
  const [{ name, shape, data }] = inputs;
  const values =
    data === undefined
      ? new Float32Array(body.buffer.slice(body.byteOffset + headLength, body.byteOffset + body.length))
      : Float32Array.from(data);
  const results = await session.run({ [name]: new ort.Tensor('float32', values, shape) });
  const result = results[session.outputNames[0] ?? ''];
  if (!(result?.data instanceof Float32Array)) throw new Error('the output is not float32');
  const output = { name: session.outputNames[0], datatype: 'FP32', shape: result.dims };
  if (data !== undefined) return JSON.stringify({ outputs: [{ ...output, data: Array.from(result.data) }] });
  const bytes = Buffer.from(result.data.buffer, result.data.byteOffset, result.data.byteLength);
  const head = { outputs: [{ ...output, parameters: { binary_data_size: bytes.length } }] };
  return Buffer.concat([Buffer.from(JSON.stringify(head)), bytes]);
});
