import type { ModelDescription } from '../model-description.ts';
import { createFeatureForm, hasFields } from './feature-form.ts';
import { createImageForm } from './image-form.ts';
import type { CreateForm, FormEvents, InputForm } from './input-form.ts';
import { createJsonForm } from './json-form.ts';
import { createTextForm } from './text-form.ts';

/** The form of each task. A task that is not here gets an editor of the request's JSON. */
const FORMS: ReadonlyMap<string, CreateForm> = new Map<string, CreateForm>([
  ['tabular-classification', createRowForm],
  ['tabular-regression', createRowForm],
  ['image-classification', createImageForm],
  ['text-classification', createTextForm],
  ['feature-extraction', createFormByExample],
  ['tensor', createJsonForm],
]);

/** The form for a model. A graph that only takes whole batches has an example with instances, for the editor. */
export function createForm(model: ModelDescription, events: FormEvents): InputForm {
  const isBatch = model.example !== undefined && 'instances' in model.example;
  const create = (isBatch ? undefined : FORMS.get(model.task)) ?? createJsonForm;
  return create(model, events);
}

/** Vectors are made of images or of texts; the example tells of which. */
function createFormByExample(model: ModelDescription, events: FormEvents): InputForm {
  const isOfImages = model.example !== undefined && 'image' in model.example;
  return isOfImages ? createImageForm(model, events) : createTextForm(model, events);
}

function createRowForm(model: ModelDescription, events: FormEvents): InputForm {
  return hasFields(model) ? createFeatureForm(model, events) : createJsonForm(model, events);
}
