import { applyEdits, type Edit } from './edits.ts';
import { ATTRIBUTE, FUNCTION, MODEL, OPSET } from './fields.ts';
import { readName } from './nodes.ts';
import { type ByteSource, encodeField, type Field, readFields, readText } from './protobuf.ts';
import { isDefaultDomain, type Message, walkModel } from './walk.ts';

/** What is changed in a model for one purpose. */
export type Rewriting = (source: ByteSource) => readonly Edit[];

/** A node of the graph, of a graph inside it, or of a function. */
export interface PlacedNode {
  readonly message: Message;
  /** Whether it is a node of the graph itself. */
  readonly isInMainGraph: boolean;
  /** Version of the default operator set where it stands; 0 where none is imported. */
  readonly opset: number;
  /** Attributes of the function around it that have a value whoever calls it. */
  readonly defaults: ReadonlySet<string>;
}

/** Gives the nodes that stand in the place of one, in order; undefined leaves it as it is. */
export type RewriteNode = (node: PlacedNode) => readonly Uint8Array[] | undefined;

/**
 * A model with all of some rewritings done; its other bytes stay as they are.
 *
 * @throws ProtobufError when the bytes are not a protocol buffers message
 */
export function rewriteModel(source: ByteSource, rewritings: readonly Rewriting[]): Uint8Array {
  return applyEdits(
    source,
    rewritings.flatMap((edits) => edits(source)),
  );
}

/** Rewrites each node of some operators, wherever in the model it is. */
export function editNodes(source: ByteSource, rewrites: ReadonlyMap<string, RewriteNode>): Edit[] {
  const owners = new Map<Message, Owner>();
  const edits: Edit[] = [];
  for (const message of walkModel(source)) {
    const { field, parent } = message;
    const around = parent && owners.get(parent);
    const owner = !around || message.kind === 'function' ? readOwner(source, message) : around;
    owners.set(message, owner);
    const rewrite = rewrites.get(message.operator);
    if (!rewrite || !parent) continue;
    const nodes = rewrite({ message, isInMainGraph: parent.parent?.kind === 'model', ...owner });
    if (!nodes) continue;
    const bytes = Buffer.concat(nodes.map((node) => encodeField(field.number, node)));
    edits.push({ start: field.fieldStart, end: field.end, bytes, inside: parent });
  }
  return edits;
}

/** What holds for all nodes in a function or, outside of functions, in a model. */
type Owner = Pick<PlacedNode, 'opset' | 'defaults'>;

function readOwner(source: ByteSource, { kind, field: { start, end } }: Message): Owner {
  const isFunction = kind === 'function';
  const imports = isFunction ? FUNCTION.opsetImport : MODEL.opsetImport;
  const attribute = isFunction ? FUNCTION.attribute : undefined;
  const defaults = new Set<string>();
  let opset = 0;
  const isWanted = (number: number) => number === imports || number === attribute;
  for (const member of readFields(source, start, end, isWanted)) {
    if (member.number === attribute) defaults.add(readName(source, member, ATTRIBUTE.name));
    else {
      const { domain, version } = readOpsetImport(source, member);
      if (isDefaultDomain(domain)) opset = version;
    }
  }
  return { opset, defaults };
}

/** An operator set that a model or a function imports. */
export function readOpsetImport(source: ByteSource, field: Field): { domain: string; version: number } {
  let domain = '';
  let version = 0;
  for (const member of readFields(source, field.start, field.end)) {
    if (member.number === OPSET.domain) domain = readText(source, member);
    if (member.number === OPSET.version) version = member.value;
  }
  return { domain, version };
}
