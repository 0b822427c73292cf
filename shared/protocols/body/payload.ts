import type { ModelContract } from '../../values/contract.ts';
import type { InputKind } from '../../values/input.ts';
import type { Layout, NamedInputs } from '../../values/named-inputs.ts';

/** A request whose body was read. */
export interface RequestBody {
  readonly request: Request;
  /** What its Content-Type says, in lower case and without parameters; '' without one. */
  readonly mediaType: string;
  readonly body: Uint8Array;
}

/** Inputs of a graph in the making. */
export interface Payload {
  /** What the request brings; looked at where it names no model. */
  readonly kind: InputKind;
  /**
   * Makes the inputs, once it is known what the model takes.
   * @throws InferenceError
   */
  readonly toInputs: (contract: ModelContract) => NamedInputs;
  readonly layout: Layout;
}
