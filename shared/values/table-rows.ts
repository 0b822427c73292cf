import type { Limits } from '../config.ts';
import { invalid } from '../errors.ts';
import type { JsonValue } from '../json/json-value.ts';
import { readText } from './cell.ts';
import type { ModelContract } from './contract.ts';
import type { FieldValue } from './input.ts';
import { checkInstances, takesJson } from './instances.ts';
import { columnAt } from './row.ts';
import { checkSurplus, findColumn, instancesOf, isUnnamed, type Table } from './table.ts';

/**
 * The rows of a table as a tabular task takes them: lists of values, in the order of the features if model and table
 * both have names. Numbers that are written as text become numbers, unless the column is one of texts; other texts are
 * left for the task to judge.
 *
 * @throws InferenceError for a table without rows, without a column that the model takes, or, if columns go by their
 * order, with a column that the first row lacks
 */
export function rowsOfTable(table: Table, contract: ModelContract, limits: Limits): FieldValue<JsonValue>[] {
  const { field, isText } = table;
  if (takesJson(contract)) {
    checkInstances(table.columns[0]?.length ?? 0, field, limits);
    return instancesOf(table).map((value, row) => ({ value, field: `${field}[${row}]` }));
  }
  const columns = orderColumns(table, contract);
  const rows = columns[0]?.length ?? 0;
  if (rows === 0) throw invalid(`Field "${field}"`, 'has no rows; expected at least one.');
  checkInstances(rows, field, limits);
  const formats = columns.map((_, index) => contract.columns && columnAt(contract.columns, index));
  const read = (cell: JsonValue, index: number) => {
    const format = formats[index];
    return isText && typeof cell === 'string' ? readText(cell, format ?? { type: 'number' }) : cell;
  };
  return Array.from({ length: rows }, (_, row) => ({
    value: columns.map((column, index) => read(column[row] ?? null, index)),
    field: `${field}[${row}]`,
  }));
}

function orderColumns(table: Table, { features }: ModelContract): readonly (readonly JsonValue[])[] {
  const { names, columns } = table;
  if (!features || !names || isUnnamed(table)) {
    checkSurplus(table);
    return columns;
  }
  const byName = new Map(names.map((name, index) => [name, columns[index] ?? []]));
  return features.map((feature) => findColumn(feature, byName, table));
}
