import { applyEdits, type Edit } from './edits.ts';
import { ATTRIBUTE, FUNCTION, MODEL, OPSET } from './fields.ts';
import { readName } from './nodes.ts';
import {
  type ByteSource,
  encodeField,
  encodeVarintField,
  type Field,
  readFields,
  readText,
} from './protobuf.ts';
import { isDefaultDomain, isMainGraph, type Message, modelMessage, walkModel } from './walk.ts';

/** A version that is known to every runtime that loads files without the default operator set. */
const ADDED_OPSET = 13;

/** A set of changes to a model for one purpose. */
export type Rewriting = (source: ByteSource) => readonly Edit[];

/** A node of the graph, of a graph inside it, or of a function. */
export interface PlacedNode {
  readonly message: Message;
  /** The graph or function that it is in. */
  readonly parent: Message;
  /** The function that it is in, or the model. */
  readonly home: Message;
  /** Whether it is a node of the graph itself. */
  readonly isInMainGraph: boolean;
  /** Version of the default operator set at the node; 0 in functions that do not import it. */
  readonly opset: number;
  /** Attributes of the enclosing function that have a value for every caller. */
  readonly defaults: ReadonlySet<string>;
}

/** Returns the nodes that replace a node, in order; undefined leaves it unchanged. */
export type RewriteNode = (node: PlacedNode) => readonly Uint8Array[] | undefined;

/**
 * A model after all of the given rewritings; its other bytes stay the same.
 *
 * @throws ProtobufError when the bytes are not a protocol buffers message
 */
export function rewriteModel(source: ByteSource, rewritings: readonly Rewriting[]): Uint8Array {
  const edits = rewritings.flatMap((rewriting) => rewriting(source));
  return applyEdits(source, edits.length === 0 ? [] : [...edits, ...importDefaultSet(source)]);
}

/** New nodes use the default operator set, which models with only other operators need not import. */
function importDefaultSet(source: ByteSource): Edit[] {
  const imports = readFields(source, 0, source.length, (number) => number === MODEL.opsetImport);
  if ([...imports].some((each) => isDefaultDomain(readOpsetImport(source, each).domain))) return [];
  const bytes = encodeField(MODEL.opsetImport, encodeVarintField(OPSET.version, ADDED_OPSET));
  return [{ start: source.length, end: source.length, bytes, inside: modelMessage(source) }];
}

/** Rewrites all nodes of the given operators, anywhere in the model. */
export function editNodes(source: ByteSource, rewrites: ReadonlyMap<string, RewriteNode>): Edit[] {
  return [...placeNodes(source, rewrites)].flatMap((placed) => {
    const nodes = rewrites.get(placed.message.operator)?.(placed);
    return nodes ? [replaceNode(placed, nodes)] : [];
  });
}

/** All nodes of the given operators, anywhere in the model. */
export function* placeNodes(
  source: ByteSource,
  operators: Pick<ReadonlySet<string>, 'has'>,
): Generator<PlacedNode> {
  const owners = new Map<Message, Owner>();
  for (const message of walkModel(source)) {
    const { parent } = message;
    const around = parent && owners.get(parent);
    const owner = !around || message.kind === 'function' ? readOwner(source, message) : around;
    owners.set(message, owner);
    if (!parent || !operators.has(message.operator)) continue;
    yield { message, parent, isInMainGraph: isMainGraph(parent), ...owner };
  }
}

/** Replaces a node and everything in it with other nodes. */
export function replaceNode({ message: { field }, parent }: PlacedNode, nodes: readonly Uint8Array[]): Edit {
  const bytes = Buffer.concat(nodes.map((node) => encodeField(field.number, node)));
  return { start: field.fieldStart, end: field.end, bytes, inside: parent };
}

/** Inserts nodes before a node. */
export function insertNodes(placed: PlacedNode, nodes: readonly Uint8Array[]): Edit {
  const { fieldStart } = placed.message.field;
  return { ...replaceNode(placed, nodes), end: fieldStart };
}

/** The context of all nodes in a function or, outside of functions, in a model. */
type Owner = Pick<PlacedNode, 'home' | 'opset' | 'defaults'>;

function readOwner(source: ByteSource, home: Message): Owner {
  const {
    kind,
    field: { start, end },
  } = home;
  const isFunction = kind === 'function';
  const imports = isFunction ? FUNCTION.opsetImport : MODEL.opsetImport;
  const attribute = isFunction ? FUNCTION.attribute : undefined;
  const defaults = new Set<string>();
  let opset = isFunction ? 0 : ADDED_OPSET;
  const isWanted = (number: number) => number === imports || number === attribute;
  for (const member of readFields(source, start, end, isWanted)) {
    if (member.number === attribute) defaults.add(readName(source, member, ATTRIBUTE.name));
    else {
      const { domain, version } = readOpsetImport(source, member);
      if (isDefaultDomain(domain)) opset = version;
    }
  }
  return { home, opset, defaults };
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
