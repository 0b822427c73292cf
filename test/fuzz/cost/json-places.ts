import type { VictimModel } from './models.ts';

/** Puts a value where a protocol expects one, for a model. */
export type Place = (value: string, model: VictimModel) => string;

/** Members that some route reads. Those of the routes' own schemas are added to them. */
const MEMBERS = [
  'instances',
  'inputs',
  'features',
  'text',
  'image',
  'data',
  'body',
  'examples',
  'table',
  'dataframe_split',
  'dataframe_records',
  'input_data',
];

/** Places deeper than a member of the body. */
const DEEPER: Readonly<Record<string, Place>> = {
  root: (value) => value,
  'a list': (value) => `[${value}]`,
  'an unknown member': (value) => `{"zzz":${value}}`,
  'the parameters': (value) => `{"inputs":"a","parameters":${value}}`,
  'an unknown parameter': (value) => `{"inputs":"a","parameters":{"zzz":${value}}}`,
  'the input by name': (value, { input }) => `{"${input}":${value}}`,
  'inputs by name': (value, { input }) => `{"inputs":{"${input}":${value}}}`,
  'inputs in a list': (value) => `{"inputs":[${value}]}`,
  'an instance': (value) => `{"instances":[${value}]}`,
  'an instance by name': (value, { input }) => `{"instances":[{"${input}":${value}}]}`,
  'features of an instance': (value) => `{"instances":[{"features":${value}}]}`,
  'text of an instance': (value) => `{"instances":[{"text":${value}}]}`,
  'image of an instance': (value) => `{"instances":[{"image":${value}}]}`,
  'b64 of an instance': (value) => `{"instances":[{"b64":${value}}]}`,
  'data of an instance': (value) => `{"instances":[{"data":${value}}]}`,
  'a feature by name': (value, { columns }) => `{"features":{"${columns[0] ?? 'x'}":${value}}}`,
  'a feature in a list': (value) => `{"features":[${value}]}`,
  'an example': (value) => `{"examples":[{"x":${value}}]}`,
  'an example in a list': (value) => `{"examples":[${value}]}`,
  'the context': (value) => `{"examples":[{}],"context":${value}}`,
  'a column of a table': (value, { columns }) => `{"table":{"${columns[0] ?? 'x'}":${value}}}`,
  'data within inputs': (value) => `{"inputs":{"data":${value}}}`,
  'a column within inputs': (value, { columns }) => `{"inputs":{"data":{"${columns[0] ?? 'x'}":${value}}}}`,
  'columns of a frame': (value) => `{"dataframe_split":{"columns":${value},"data":[[1]]}}`,
  'rows of a frame': (value, model) => `{"dataframe_split":{"columns":${namesOf(model)},"data":${value}}}`,
  'rows of a frame without names': (value) => `{"dataframe_split":{"data":${value}}}`,
  'the index of a frame': (value, model) =>
    `{"dataframe_split":{"columns":${namesOf(model)},"index":${value},"data":[]}}`,
  'a record': (value) => `{"dataframe_records":[${value}]}`,
  'columns of input data': (value) => `{"input_data":{"columns":${value},"index":[0],"data":[[1]]}}`,
  'rows of input data': (value, model) => `{"input_data":{"columns":${namesOf(model)},"data":${value}}}`,
  'input data by name': (value, { input }) => `{"input_data":{"${input}":${value}}}`,
  'the data of a tensor': (value, model) => tensorOf(model, '[1000000,4]', value),
  'the data of a flat tensor': (value, model) => tensorOf(model, '[4000000]', value),
  'the data of an empty tensor': (value, model) => tensorOf(model, '[0,4000000]', value),
  'the data of texts': (value, { input }) =>
    `{"inputs":[{"name":"${input}","shape":[4000000,1],"datatype":"BYTES","data":${value}}]}`,
  'the data of whole numbers': (value, { input }) =>
    `{"inputs":[{"name":"${input}","shape":[4000000],"datatype":"INT64","data":${value}}]}`,
  'the data of booleans': (value, { input }) =>
    `{"inputs":[{"name":"${input}","shape":[4000000],"datatype":"BOOL","data":${value}}]}`,
  'the shape of a tensor': (value, model) => tensorOf(model, value, '[1]'),
  'the name of a tensor': (value) =>
    `{"inputs":[{"name":${value},"shape":[1],"datatype":"FP32","data":[1]}]}`,
  'the parameters of a tensor': (value, { input }) =>
    `{"inputs":[{"name":"${input}","shape":[1],"datatype":"FP32","data":[1],"parameters":${value}}]}`,
  'outputs of a tensor request': (value, model) => withMember(model, 'outputs', value),
  'parameters of an output': (value, model) =>
    withMember(model, 'outputs', `[{"name":"y","parameters":${value}}]`),
  'the id of a tensor request': (value, model) => withMember(model, 'id', value),
  'the parameters of a tensor request': (value, model) => withMember(model, 'parameters', value),
  'a wrapped body': (value) =>
    `{"httpBody":{"contentType":"application/json","data":"${Buffer.from(value).toString('base64')}"}}`,
  'wrapped lines': (value) =>
    `{"httpBody":{"contentType":"application/jsonlines","data":"${Buffer.from(`${value}\n`.repeat(3)).toString('base64')}"}}`,
};

/** All places by name: those above, and one for each member of the routes' own schemas. */
export function jsonPlaces(members: readonly string[]): ReadonlyMap<string, Place> {
  const names = [...new Set([...MEMBERS, ...members])];
  return new Map([
    ...Object.entries(DEEPER),
    ...names.map((name): [string, Place] => [
      `member "${name}"`,
      (value) => `{${JSON.stringify(name)}:${value}}`,
    ]),
  ]);
}

function namesOf({ columns }: VictimModel): string {
  return JSON.stringify(columns.length > 0 ? columns : ['x']);
}

function tensorOf({ input, datatype }: VictimModel, shape: string, data: string): string {
  return `{"inputs":[{"name":"${input}","shape":${shape},"datatype":"${datatype}","data":${data}}]}`;
}

function withMember({ input, datatype }: VictimModel, name: string, value: string): string {
  return `{"inputs":[{"name":"${input}","shape":[1,1],"datatype":"${datatype}","data":[1]}],"${name}":${value}}`;
}
