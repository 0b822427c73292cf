// Runs an identity graph of each datatype with sessions of our own, or with those of the package; writes the outputs.
// Usage: native-and-package.ts native|package <folder>. A process has only one, as the addon keeps one class of tensors.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { createSession } from '../../../shared/runtime/session.ts';
import { DATATYPE_NAMES, DATATYPES, type Datatype } from '../../../shared/tensor/datatype.ts';
import { identityModel } from '../../support/build-model.ts';

const VALUES = [0, 1, 1, 0, 1, 1];
const SHAPE = [2, 3];
const RUNS = { native: runNative, package: runByPackage };

const [by, folder = ''] = process.argv.slice(2);
// The package gives zero bytes to the addon for FP16 where V8 has Float16Array.
for (const name of DATATYPE_NAMES.filter((each) => each !== 'FP16')) {
  const file = join(folder, `${by}-${name}.onnx`);
  writeFileSync(file, identityModel(DATATYPES[name].code, SHAPE));
  console.log(
    name,
    inspect(await RUNS[by === 'package' ? by : 'native'](name, file), { breakLength: Infinity }),
  );
}

async function runNative(datatype: Datatype, file: string): Promise<object> {
  const session = await createSession(file, { intraOpThreads: 1 });
  const data = DATATYPES[datatype].fromNumbers(VALUES);
  const y = (await session.run(new Map([['x', { datatype, shape: SHAPE, data }]]))).get('y');
  await session.release();
  return { type: DATATYPES[y?.datatype ?? 'FP16'].onnx, shape: y?.shape, data: y?.data };
}

async function runByPackage(datatype: Datatype, file: string): Promise<object> {
  process.env.ORT_DISABLE_TELEMETRY = '1';
  const { default: ort } = await import('onnxruntime-node');
  const session = await ort.InferenceSession.create(file, { logSeverityLevel: 4 });
  const data = DATATYPES[datatype].fromNumbers(VALUES);
  const { y } = await session.run({ x: new ort.Tensor(DATATYPES[datatype].onnx, data, SHAPE) });
  return { type: y?.type, shape: y?.dims, data: y?.data };
}
