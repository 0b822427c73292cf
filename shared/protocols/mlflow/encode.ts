import type { WritableJson } from '../../json/write-json.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type ElementStyle, writeRows, writeTensor } from '../../tensor/write-tensor.ts';
import type { GraphOutputs } from '../run-payload.ts';

/**
 * The answer of MLflow's ONNX flavour to a data frame: an object for each row, with a column for each output. A column
 * holds single values, or objects by label if the graph ends in a ZipMap. Source: `_OnnxModelWrapper.predict` of
 * mlflow.onnx.
 */
export function encodeRecords({ tensors, maps }: GraphOutputs, style: ElementStyle): readonly WritableJson[] {
  const columns = [...tensors].map(([name, tensor]) => ({
    name,
    cells: mapRows(tensor, maps.get(name), style) ?? writeRows(asColumn(tensor), style),
  }));
  return Array.from(
    { length: columns[0]?.cells.length ?? 0 },
    (_, row): WritableJson => new Map(columns.map(({ name, cells }) => [name, cells[row]])),
  );
}

/** Its answer to tensors: the unchanged outputs by their names. */
export function encodeOutputs({ tensors, maps }: GraphOutputs, style: ElementStyle): WritableJson {
  return new Map(
    [...tensors].map(([name, tensor]): [string, WritableJson] => [
      name,
      mapRows(tensor, maps.get(name), style) ?? writeTensor(tensor, style),
    ]),
  );
}

/** Each row of a ZipMap as an object by label; undefined for other outputs. */
function mapRows(
  tensor: Tensor,
  labels: readonly (string | number)[] | undefined,
  style: ElementStyle,
): readonly WritableJson[] | undefined {
  const [rows = 0, width] = tensor.shape;
  if (!labels || tensor.shape.length !== 2 || width !== labels.length) return undefined;
  const cells = writeRows({ ...tensor, shape: [rows * width] }, style);
  return Array.from(
    { length: rows },
    (_, row) => new Map(labels.map((label, index) => [String(label), cells[row * width + index]])),
  );
}

function asColumn(tensor: Tensor): Tensor {
  const [rows = 0] = tensor.shape;
  return tensor.data.length === rows ? { ...tensor, shape: [rows] } : tensor;
}
