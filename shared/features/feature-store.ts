/** What identifies one entity: its values in the order of `entity` in model.json. */
export type EntityKey = readonly (string | number)[];

/** What a store has for one feature of one entity; undefined and null if it has nothing. */
export type StoredValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly StoredValue[]
  | { readonly [key: string]: StoredValue };

/** A part of the identity of an entity. */
export interface EntityMember {
  readonly name: string;
  /** What it is before the store gets it; by default what the client sends. */
  readonly type?: 'text' | 'number' | undefined;
}

/** What one model looks up. */
export interface WantedFeatures {
  readonly entity: readonly EntityMember[];
  /** Names in the store. */
  readonly features: readonly string[];
}

/** Where features are looked up. `redis`, `feast` and `dynamodb` make one; own code can have others. */
export interface FeatureStore {
  /** What it is in messages, without credentials. */
  readonly title: string;
  /**
   * Prepares the look-ups of one model, once.
   *
   * @throws Error for names that this store cannot have; its message is the reason why the model cannot be loaded
   */
  plan(wanted: WantedFeatures): FeaturePlan;
}

/** What a store has for one entity: the values of its features in order, or why it cannot be read. */
export type StoredRow = readonly StoredValue[] | Error;

/** Why a store cannot have an entity. */
export interface KeyProblem {
  /** The index of the member of the entity. */
  readonly member: number;
  /** For clients, such as `cannot contain ":".` */
  readonly problem: string;
}

/** The look-ups of one model. */
export interface FeaturePlan {
  /** Whether the store keeps everything as text. Then a text that is a JSON number is meant as a number. */
  readonly keepsTexts: boolean;
  /** Finds what this store cannot have in a key. Requests with it are refused. */
  check?(key: EntityKey): KeyProblem | undefined;
  /**
   * Looks up entities.
   *
   * @param keys at least one, all different
   * @param signal aborted when nobody waits any more; its reason is a `TimeoutError` if the store took too long
   * @param traceparent the header of the request that asked first, for stores that can take it
   * @returns for each key what the store has, or what `read` would throw for this one
   * @throws what `unavailable` makes if the same look-up can succeed later; any other error for other failures
   */
  read(keys: readonly EntityKey[], signal: AbortSignal, traceparent: string): Promise<readonly StoredRow[]>;
}
