import { find, make } from '../element.ts';
import type { Change, Served } from './served.ts';

/** A call of the registry, as the form asks for it. */
export interface Wanted {
  readonly call: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface ChangeForm {
  /** Offers the versions, aliases and revisions that there are. What was chosen stays chosen if it is still there. */
  offer(served: Served | undefined, changes: readonly Change[]): void;
  /** Empties what was written. */
  clear(): void;
}

const ACTIONS = { promote: 'Promote', split: 'Change share', rollback: 'Roll back' } as const;
type Action = keyof typeof ACTIONS;

/** What each action does, for people who press the button. */
const EFFECTS: Readonly<Record<Action, string>> = {
  promote:
    'The version becomes live at once, without the checks of "ternion promote". The one before stays in memory for 10 minutes.',
  split: 'The share comes from the live version. With 0, the live version gets it back.',
  rollback:
    'The model becomes what it was after that revision. This is a new change, so it can be undone as well.',
};

/**
 * The form with which a holder of the key changes what is served.
 *
 * @param send is called with a call that is complete
 */
export function createChangeForm(send: (wanted: Wanted) => void): ChangeForm {
  const form = find('change', HTMLFormElement);
  const actions = find('action', HTMLElement);
  const target = find('target', HTMLSelectElement);
  const percent = find('percent', HTMLInputElement);
  const revision = find('revision', HTMLSelectElement);
  const why = find('why', HTMLInputElement);
  const submit = find('submit', HTMLButtonElement);
  let action: Action = 'promote';

  const choose = (next: Action): void => {
    action = next;
    find('target-field', HTMLElement).hidden = action === 'rollback';
    find('percent-field', HTMLElement).hidden = action !== 'split';
    find('revision-field', HTMLElement).hidden = action !== 'rollback';
    find('effect', HTMLElement).textContent = EFFECTS[action];
    submit.textContent = ACTIONS[action];
    percent.removeAttribute('aria-invalid');
  };
  const radio = (value: Action): HTMLElement => {
    const input = make('input', { type: 'radio', name: 'action', checked: value === action });
    input.addEventListener('change', () => choose(value));
    return make('label', {}, input, make('span', { class: 'switch-text' }, ACTIONS[value]));
  };
  actions.append(radio('promote'), radio('split'), radio('rollback'));
  choose(action);

  const fieldsOf = (): Wanted['fields'] | undefined => {
    if (action === 'promote') return { version: target.value };
    if (action === 'rollback') return { revision: Number(revision.value) };
    const share = Number(percent.value.replace(',', '.'));
    const isShare = percent.value.trim() !== '' && share >= 0 && share <= 100;
    percent.setAttribute('aria-invalid', String(!isShare));
    if (isShare) return { shares: { [target.value]: share } };
    percent.focus();
    return undefined;
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const fields = fieldsOf();
    if (fields) send({ call: action, fields: { ...fields, why: why.value.trim() } });
  });
  return {
    offer: (served, changes) => {
      const aliases = [...(served?.aliases ?? [])].map(
        ([alias, version]) => [alias, `${alias}: ${version}`] as const,
      );
      const versions = (served?.versions ?? []).toReversed().map((version) => [version, version] as const);
      fill(target, [...versions, ...aliases]);
      const [newest, ...earlier] = changes;
      const revisions = earlier.map(
        ({ revision: number, action: what }) => [String(number), `${number}: ${what}`] as const,
      );
      const isWhole = (earlier.at(-1) ?? newest)?.revision === 1;
      fill(revision, [...revisions, ...(isWhole ? [['0', '0: before the first change'] as const] : [])]);
    },
    clear: () => {
      percent.value = '';
      why.value = '';
    },
  };
}

function fill(select: HTMLSelectElement, options: readonly (readonly [value: string, text: string])[]): void {
  const { value: chosen } = select;
  select.replaceChildren(...options.map(([value, text]) => make('option', { value }, text)));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}
