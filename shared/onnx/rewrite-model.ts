import { applyEdits, type Edit } from './edits.ts';
import { FUNCTION, MODEL, OPSET } from './fields.ts';
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
  /** The function that it is in. */
  readonly function: Message | undefined;
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
  const opsets = new Map<Message, number>();
  const opsetOf = (message: Message) => {
    const known = opsets.get(message) ?? readOpset(source, message);
    opsets.set(message, known);
    return known;
  };
  const edits: Edit[] = [];
  for (const message of walkModel(source)) {
    const { field, parent } = message;
    const rewrite = rewrites.get(message.operator);
    if (!rewrite || !parent) continue;
    const owner = ownerOf(parent);
    const nodes = rewrite({
      message,
      isInMainGraph: parent.parent?.kind === 'model',
      opset: opsetOf(owner),
      function: owner.kind === 'function' ? owner : undefined,
    });
    if (!nodes) continue;
    const bytes = Buffer.concat(nodes.map((node) => encodeField(field.number, node)));
    edits.push({ start: field.fieldStart, end: field.end, bytes, inside: parent });
  }
  return edits;
}

/** The function or, outside of functions, the model: both say which operator sets hold in them. */
function ownerOf(message: Message): Message {
  let owner = message;
  while (owner.kind !== 'function' && owner.parent) owner = owner.parent;
  return owner;
}

function readOpset(source: ByteSource, { kind, field: { start, end } }: Message): number {
  const wanted = kind === 'function' ? FUNCTION.opsetImport : MODEL.opsetImport;
  for (const field of readFields(source, start, end, (number) => number === wanted)) {
    const { domain, version } = readOpsetImport(source, field);
    if (isDefaultDomain(domain)) return version;
  }
  return 0;
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
