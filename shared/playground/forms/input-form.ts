import type { ModelDescription } from '../model-description.ts';
import type { Payload } from '../server.ts';

/** What a form tells the page. */
export interface FormEvents {
  /** What would be sent is another. */
  change(): void;
  /** It should be sent now: something was drawn, dropped or chosen. */
  run(): void;
  /** There is nothing to send any more. */
  clear(): void;
}

/** Where a user makes the input of one model. */
export interface InputForm {
  /** Fields, without a `form` around them. */
  readonly element: HTMLElement;
  /** Ways to fill or empty the fields, for the row of the submit button. */
  readonly buttons: readonly HTMLElement[];
  /** What would be sent now; undefined while there is nothing. */
  read(): Promise<Payload | undefined>;
  /** What to do first, while there is nothing to send. */
  readonly missing: string;
  /** Marks the fields that an error is about; none for ''. */
  blame(message: string): void;
  /** Lets go of what it has outside its element. */
  close(): void;
}

export type CreateForm = (model: ModelDescription, events: FormEvents) => InputForm;
