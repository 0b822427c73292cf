import type { ModelContract } from '../../values/contract.ts';
import type { InputKind } from '../../values/input.ts';
import type { Layout, NamedInputs } from '../../values/named-inputs.ts';

/** A request whose body was read. */
export interface RequestBody {
  readonly request: Request;
  /** Its Content-Type, in lower case and without parameters; '' if it has none. */
  readonly mediaType: string;
  readonly body: Uint8Array;
}

/** Inputs of a graph that are not made yet. */
export interface Payload {
  /** The kind of input in the request; it selects a model if the request names none. */
  readonly kind: InputKind;
  /**
   * Makes the inputs, once it is known what the model takes.
   * @throws InferenceError
   */
  readonly toInputs: (contract: ModelContract) => NamedInputs;
  readonly layout: Layout;
}
