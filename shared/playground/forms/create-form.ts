import type { ModelDescription } from '../model-description.ts';
import { createFeatureForm, hasFields } from './feature-form.ts';
import { createImageForm } from './image-form.ts';
import type { CreateForm, FormEvents, InputForm } from './input-form.ts';
import { createJsonForm } from './json-form.ts';
import { createTextForm } from './text-form.ts';

/** The form for what a model takes. Other models get an editor of the request's JSON. */
const FORMS: ReadonlyMap<string, CreateForm> = new Map<string, CreateForm>([
  ['features', createRowForm],
  ['image', createImageForm],
  ['text', createTextForm],
  ['tensors', createJsonForm],
]);

/**
 * The form for a model. A graph that takes only whole batches has an example with instances, which the editor shows.
 */
export function createForm(model: ModelDescription, events: FormEvents): InputForm {
  const isBatch = model.example !== undefined && 'instances' in model.example;
  const create = (isBatch ? undefined : FORMS.get(model.input)) ?? createJsonForm;
  return create(model, events);
}

function createRowForm(model: ModelDescription, events: FormEvents): InputForm {
  return hasFields(model) ? createFeatureForm(model, events) : createJsonForm(model, events);
}
