import type { Limits } from '../../config.ts';
import { InferenceError, invalid } from '../../errors.ts';
import type { ModelContract } from '../../values/contract.ts';
import { tableOfCells } from '../../values/csv.ts';
import { splitLines } from '../../values/lines.ts';
import { decodeTable, widthOf } from '../../values/table.ts';
import type { Lines } from './run-lines.ts';

/** Media types of sparse rows. Source: SageMaker's guide, XGBoost; xgb_content_types of its container. */
export const LIBSVM_TYPES = ['text/libsvm', 'text/x-libsvm'];

/** `12:0.5`, and `12:nan`. */
const CELL = /^(0|[1-9]\d{0,14}):(\S+)$/;

/**
 * Sparse rows, a line each: `index:value` between spaces. What stands before them without a colon is a label and is not
 * read. If no row has an index 0, indexes count from 1. A column that a row does not name is missing if the model
 * allows that, and 0 otherwise. Source: `_get_sparse_matrix_from_libsvm` and `libsvm_to_dmatrix` of
 * sagemaker-xgboost-container.
 *
 * @throws InferenceError for a body without lines
 */
export function readLibsvm(body: Uint8Array, limits: Limits): Lines {
  const lines = splitLines(body, limits);
  if (lines.count === 0)
    throw new InferenceError('BAD_REQUEST', ['The request body', 'has no lines; expected one row per line.']);
  const first = firstIndex(body);
  return {
    kind: 'features',
    count: () => lines.count,
    // As many values as the same rows have in CSV.
    sizeOf: (start, end, contract) => lines.bytesOf(start, end) + 2 * (end - start) * widthOfModel(contract),
    decode: (start, end, contract) => {
      const width = widthOfModel(contract);
      const missing = contract.inputs[0]?.allowsMissing === true ? '' : '0';
      const rows = Array.from({ length: end - start }, (_, row) => {
        const cells = new Array<string>(width).fill(missing);
        for (const { index, value } of readCells(lines.at(start + row), start + row)) {
          const at = index - first;
          if (at >= width) throw tooFar(start + row, index, width, first);
          cells[at] = value;
        }
        return cells;
      });
      const place = end - start === 1 ? `line ${start + 1}` : `lines ${start + 1} to ${end}`;
      return decodeTable(tableOfCells(undefined, rows, place), contract, limits);
    },
  };
}

function tooFar(line: number, index: number, width: number, first: number): InferenceError {
  return invalid(
    `Line ${line + 1}`,
    `has the index ${index}; the model takes ${width} columns, which are counted from ${first} here.`,
  );
}

function widthOfModel({ inputs }: ModelContract): number {
  const [only, ...others] = inputs;
  const width = only && others.length === 0 ? widthOf(only) : inputs.length;
  if (width !== undefined && width > 0) return width;
  throw invalid('Sparse rows need the number of columns, which this model does not say; send text/csv.');
}

interface SparseCell {
  readonly index: number;
  readonly value: string;
}

function* readCells(line: Uint8Array, row: number): Generator<SparseCell> {
  const text = Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8');
  for (const [place, word] of text.trim().split(/\s+/).entries()) {
    const [, index, value] = CELL.exec(word) ?? [];
    if (index !== undefined && value !== undefined) yield { index: Number(index), value };
    else if (place > 0 || word.includes(':')) {
      throw invalid(
        `Line ${row + 1}`,
        `has ${JSON.stringify(word.slice(0, 40))}; expected index:value, as 3:0.5.`,
      );
    }
  }
}

/**
 * The index from which rows count: 0 if one of them has it. Bytes are searched, as a body can have millions of cells.
 */
function firstIndex(body: Uint8Array): 0 | 1 {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const hasZero =
    bytes.subarray(0, 2).equals(Buffer.from('0:')) || ZERO_CELLS.some((cell) => bytes.includes(cell));
  return hasZero ? 0 : 1;
}

/** A cell with the index 0, with the characters that can stand before it. */
const ZERO_CELLS = [' 0:', '\t0:', '\n0:', '\r0:'];
