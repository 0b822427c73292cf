/** What a link to the page opens. */
export interface Shown {
  readonly model?: string | undefined;
  readonly version?: string | undefined;
}

/** Reads the part of a URL after `#`: `#model=iris&version=2`. */
export function readLink(hash: string): Shown {
  const values = new URLSearchParams(hash.replace(/^#/, ''));
  return { model: values.get('model') || undefined, version: values.get('version') || undefined };
}

export function writeLink({ model = '', version = '' }: Shown): string {
  return `#${new URLSearchParams(version ? { model, version } : { model })}`;
}
