/** The value of an attribute. Source: OTLP 1.x, common.proto; JSON has whole numbers of 64 bits as texts. */
type AnyValue =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly doubleValue: number | string }
  | { readonly boolValue: boolean }
  | { readonly arrayValue: { readonly values: readonly AnyValue[] } };

/** An attribute in the JSON of OTLP. */
export interface Attribute {
  readonly key: string;
  readonly value: AnyValue;
}

type Value = string | number | boolean | readonly string[];

/** Attributes by their names; those that are undefined are left out. */
export type Attributes = Readonly<Record<string, Value | undefined>>;

/** Attributes in the form of OTLP. */
export function attributesOf(values: Attributes): readonly Attribute[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: toAnyValue(value) }],
  );
}

function toAnyValue(value: Value): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'object') return { arrayValue: { values: value.map(toAnyValue) } };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: doubleOf(value) };
}

/** JSON has no infinite numbers. Source: Protocol Buffers, ProtoJSON format. */
export function doubleOf(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** A number of milliseconds has too few digits for the nanoseconds since the epoch. */
export function toNanoseconds(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  const rest = Math.min(999_999, Math.round((milliseconds - whole) * 1e6));
  return `${whole}${String(rest).padStart(6, '0')}`;
}
