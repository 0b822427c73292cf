import { make, makeId } from '../element.ts';
import type { Column, Feature, ModelDescription } from '../model-description.ts';
import { listOf, membersOf, textOf } from '../parse.ts';
import type { FormEvents, InputForm } from './input-form.ts';

/** With more fields than this, a form is no longer usable. */
const MOST_FIELDS = 60;

const DECIMAL = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

interface Field {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  readonly name: string;
  readonly example: string;
  readonly column: Column;
}

/** Whether a model's features are known, and few enough to give each a field. */
export function hasFields(model: ModelDescription): boolean {
  const counts = model.columns.map(({ count }) => count);
  const width = counts.reduce((sum, count) => sum + count, 0);
  return width > 0 && width <= MOST_FIELDS && !counts.includes(-1);
}

/** One field per feature of a tabular model, filled with the model's example. */
export function createFeatureForm(model: ModelDescription, { change }: FormEvents): InputForm {
  const columns = model.columns.flatMap((column) => new Array<Column>(column.count).fill(column));
  const fields = columns.map((column, index) => {
    const feature = model.features?.[index] ?? nameless(index);
    return makeField(feature, column, exampleOf(model, feature.name, index));
  });
  const isNamed = model.features !== undefined;
  const element = make('div', { class: 'fields' }, ...fields.map((field) => field.element));
  element.addEventListener('input', change);
  const button = make('button', { type: 'button' }, 'Example');
  button.addEventListener('click', () => {
    for (const { input, example } of fields) input.value = example;
    change();
  });
  return {
    element,
    buttons: [button],
    read: async () => ({
      type: 'application/json',
      body: JSON.stringify({ features: isNamed ? readByName(fields) : fields.map(readValue) }),
    }),
    missing: '',
    blame: (message) => {
      const places = fields.filter(({ name }, index) => isAbout(message, isNamed ? name : index));
      for (const field of fields) field.input.setAttribute('aria-invalid', String(places.includes(field)));
      places[0]?.input.focus();
    },
    close: () => undefined,
  };
}

function nameless(index: number): Feature {
  return {
    name: `Feature ${index}`,
    unit: undefined,
    range: undefined,
    description: undefined,
    values: [],
  };
}

function exampleOf({ example }: ModelDescription, name: string, index: number): string {
  const given = example?.features;
  return textOf(Array.isArray(given) ? listOf(given)[index] : membersOf(given)[name]) ?? '';
}

function makeField(feature: Feature, column: Column, example: string): Field {
  const { name, unit, range, description, values } = feature;
  const id = makeId();
  const bounds = range && `${range[0]} to ${range[1]}`;
  const hints = [description, bounds && (unit ? `${bounds} ${unit}` : bounds)].filter(
    (hint) => hint !== undefined,
  );
  const hint =
    hints.length > 0 ? make('p', { id: `${id}-hint`, class: 'hint' }, hints.join(' · ')) : undefined;
  const input = make('input', {
    id,
    type: 'text',
    inputmode: column.isText ? 'text' : 'decimal',
    autocomplete: 'off',
    list: values.length > 0 ? `${id}-values` : undefined,
    'aria-describedby': hint?.id,
  });
  const choices = values.map((value) => make('option', { value }));
  const list = values.length > 0 ? make('datalist', { id: `${id}-values` }, ...choices) : undefined;
  input.value = example;
  const label = make('label', { for: id }, name);
  const box = make(
    'div',
    { class: 'unit-box' },
    input,
    list,
    unit === undefined ? undefined : make('span', { class: 'unit', 'aria-hidden': 'true' }, unit),
  );
  return { element: make('div', { class: 'field' }, label, box, hint), input, name, example, column };
}

/** A value that is not a number is sent as text: the server explains best what it expects. */
function readValue({ input, column }: Field): number | string | null {
  const text = input.value.trim();
  if (column.isText) return input.value;
  if (text === '') return null;
  return DECIMAL.test(text) && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** An empty number is sent as missing if the model takes missing numbers, and is left out otherwise. */
function readByName(fields: readonly Field[]): Record<string, unknown> {
  const given = fields.filter(
    ({ input, column }) => column.isText || column.isNullable || input.value.trim() !== '',
  );
  return Object.fromEntries(given.map((field) => [field.name, readValue(field)]));
}

/** The server names a feature in quotes, after `features.`, or as `features[1]`. */
function isAbout(message: string, feature: string | number): boolean {
  const forms =
    typeof feature === 'number' ? [`"features[${feature}]"`] : [`"features.${feature}"`, `"${feature}"`];
  return forms.some((form) => message.includes(form));
}
