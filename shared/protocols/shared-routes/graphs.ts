import * as z from 'zod/mini';
import type { Config } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { describeJson, isJsonObject } from '../../json/json-value.ts';
import { holdsJson } from '../body/json-body.ts';
import { lazily } from '../body/lazily.ts';
import { type Dialect, type Invocation, readInvocation } from '../invocation.ts';
import { jsonContent, type Operation, type ProtocolOptions, type SchemaMaker } from '../operation.ts';
import { isTensorList } from './detect-format.ts';

/** The protocols of KServe, which its inference graphs pass on. */
type GraphProtocol = 'open-inference' | 'kserve';

/** How a protocol runs a model, and its answers. */
export interface GraphNode {
  readonly invoke: Dialect;
  readonly request: SchemaMaker;
  readonly response: SchemaMaker;
}

/** Requests that clients of KServe send to an inference graph. */
export interface Graphs {
  /** A dialect that takes these requests in addition to its own. */
  readonly with: (other: Dialect) => Dialect;
  /** The answers to them, in addition to those of another dialect. */
  readonly responseWith: (other: SchemaMaker) => SchemaMaker;
  /** The root, if it has no other use. */
  readonly operation: (options: ProtocolOptions) => Operation;
}

/**
 * Clients send requests for an inference graph of KServe to exactly its own address, in either of KServe's protocols,
 * so no path distinguishes it from an endpoint of Hugging Face. The members do: Hugging Face takes neither tensors with
 * names nor `instances`. Source: `InferenceRESTClient.infer` of kserve, `is_graph_endpoint`.
 */
export function createGraphs(
  { protocols, dialect }: Pick<Config, 'protocols' | 'dialect'>,
  nodes: Readonly<Record<GraphProtocol, GraphNode>>,
): Graphs {
  const isOn = (name: GraphProtocol) =>
    protocols.includes(name) && (dialect === undefined || dialect === name);
  const withGraphs: Graphs['with'] = (other) => async (invocation, options) => {
    const name = protocolOf(invocation);
    const invoke = name && isOn(name) ? nodes[name].invoke : other;
    return await invoke(invocation, options);
  };
  const invoke = withGraphs(refuseOthers);
  const response = lazily(async () =>
    z.union([await nodes['open-inference'].response(), await nodes.kserve.response()]),
  );
  return {
    with: withGraphs,
    responseWith: (other) => lazily(async () => z.union([await other(), await response()])),
    operation: (options) => ({
      method: 'POST',
      path: '/',
      summary: 'Run the default model as a node of an inference graph',
      request: jsonContent(
        lazily(async () => z.union([await nodes.kserve.request(), await nodes['open-inference'].request()])),
      ),
      response: jsonContent(response),
      handle: async (c) => await invoke(await readInvocation(c, options, {}), options),
    }),
  };
}

const refuseOthers: Dialect = async (invocation) => {
  throw invalid(
    'The request',
    `is ${describeJson(invocation.json())}; expected "instances", or "inputs" whose items have a name, a shape and a datatype.`,
  );
};

function protocolOf(invocation: Invocation): GraphProtocol | undefined {
  if (invocation.request.headers.has('inference-header-content-length')) return 'open-inference';
  if (!holdsJson(invocation)) return undefined;
  const json = invocation.json();
  if (!isJsonObject(json)) return undefined;
  if (isTensorList(json.inputs)) return 'open-inference';
  return Object.hasOwn(json, 'instances') ? 'kserve' : undefined;
}
