import { nodeCrypto } from '../node-modules.ts';
import type { Edit } from './edits.ts';
import { encodeText } from './encode-node.ts';
import { readFunctions } from './guard-functions.ts';
import { GuardedNode } from './guard-node.ts';
import type { Rule } from './guard-rules.ts';
import type { ByteSource } from './protobuf.ts';
import { placeNodes } from './rewrite-model.ts';
import { readValues } from './values.ts';

/** Operators, each with the rules that make it safe. */
export type GuardTable = ReadonlyMap<string, readonly Rule[]>;

export interface Guards {
  readonly edits: readonly Edit[];
  /** Why the model cannot be served: `its CropAndResize has no guard`. */
  readonly refusals: readonly string[];
}

/** The changes to a model that keep requests from ending the process through its operators. */
export function findGuards(source: ByteSource, mostElements: number, table: GuardTable): Guards {
  const valuesIn = readValues(source);
  const functions = readFunctions(source);
  let prefix: string | undefined;
  let names = 0;
  const newName = () => {
    prefix ??= `guard ${nodeCrypto().randomUUID()} `;
    return encodeText(`${prefix}${names++}`);
  };
  const refusals: string[] = [];
  const edits = [...placeNodes(source, table)].flatMap((placed) => {
    const node = new GuardedNode(placed, {
      source,
      values: valuesIn(placed.home),
      newName,
      mostElements,
      functions,
    });
    for (const rule of table.get(node.operator) ?? []) rule(node);
    const found = node.finish();
    if (node.refusal !== undefined) refusals.push(node.refusal);
    return found;
  });
  return { edits, refusals };
}
