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

export async function parseWith<Output>(schema: Schema<Output>, value: unknown): Promise<Parsed<Output>> {
  const given = schema['~standard'].validate(value);
  const result = given instanceof Promise ? await given : given;
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
