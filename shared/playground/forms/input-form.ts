import type { ModelDescription } from '../model-description.ts';
import type { Payload } from '../server.ts';

/** Events that a form reports to the page. */
export interface FormEvents {
  /** The content that would be sent has changed. */
  change(): void;
  /** It should be sent now: something was drawn, dropped or chosen. */
  run(): void;
  /** There is no longer anything to send. */
  clear(): void;
}

/** Where a user makes the input of one model. */
export interface InputForm {
  /** Fields, without a `form` around them. */
  readonly element: HTMLElement;
  /** Ways to fill or empty the fields, for the row of the submit button. */
  readonly buttons: readonly HTMLElement[];
  /** The content that would be sent now; undefined while the form is empty. */
  read(): Promise<Payload | undefined>;
  /** Says what to do first, while there is nothing to send. */
  readonly missing: string;
  /** Marks the fields that an error is about; '' removes all marks. */
  blame(message: string): void;
  /** Releases what it holds outside its element, such as listeners. */
  close(): void;
}

export type CreateForm = (model: ModelDescription, events: FormEvents) => InputForm;
