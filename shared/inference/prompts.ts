import { invalid } from '../errors.ts';
import { ModelError } from '../models/model-config.ts';
import type { FieldValue } from '../values/input.ts';

/** The prompts of a text model, as its config names them. */
export interface PromptConfig {
  /** Texts by name. */
  readonly prompts?: Readonly<Record<string, string>> | undefined;
  /** The prompt for requests that do not name one. */
  readonly defaultPrompt?: string | undefined;
  /** Whether the tokens of a prompt are pooled with those of its text; true by default. */
  readonly includePrompt?: boolean | undefined;
}

/**
 * Finds the prompt to put before the texts of a request: the one it names, or else the default one.
 *
 * @returns an empty text if there is no prompt
 */
export type ChoosePrompt = (name: FieldValue<string> | undefined) => string;

/** @throws ModelError when the default prompt is not one of the prompts */
export function createPromptChooser({ prompts = {}, defaultPrompt }: PromptConfig): ChoosePrompt {
  const byName = new Map(Object.entries(prompts));
  const usual = defaultPrompt === undefined ? '' : byName.get(defaultPrompt);
  const names = describeNames([...byName.keys()]);
  if (usual === undefined) {
    throw new ModelError(`its default prompt ${JSON.stringify(defaultPrompt)} is not one of ${names}`);
  }
  return (name) => {
    if (name === undefined) return usual;
    const prompt = byName.get(name.value);
    if (prompt !== undefined) return prompt;
    const shown = JSON.stringify(name.value.slice(0, 60));
    throw invalid(`Field "${name.field}"`, `is ${shown}; the prompts of this model are: ${names}.`);
  };
}

function describeNames(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ') || 'none';
}
