/**
 * A schema of any library that follows Standard Schema 1.0: zod since 3.24, Valibot, ArkType. So the code of a project
 * and Ternion need not use the same copy of a library. Source: the specification at standardschema.dev.
 */
export interface Schema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The value of a schema, or its first issue: where it is, as `.rows[2]`, and what is wrong. */
export type Parsed<Output> =
  | { readonly value: Output }
  | { readonly place: string; readonly message: string };

/** @returns a promise only where the schema does */
export function parseWith<Output>(
  schema: Schema<Output>,
  value: unknown,
): Parsed<Output> | Promise<Parsed<Output>> {
  const given = schema['~standard'].validate(value);
  return isThenable(given) ? Promise.resolve(given).then(parsedOf) : parsedOf(given);
}

/** A library may have promises of its own. */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function parsedOf<Output>(result: SchemaResult<Output>): Parsed<Output> {
  if (result.issues === undefined) return { value: result.value };
  const [issue] = result.issues;
  return { place: placeOf(issue?.path ?? []), message: issue?.message ?? 'it is not valid' };
}

function placeOf(path: NonNullable<SchemaIssue['path']>): string {
  return path
    .map((part) => (typeof part === 'object' ? part.key : part))
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('');
}
