/** The part of Swagger UI that is used here. Its script is loaded before this one. */
declare function SwaggerUIBundle(options: {
  readonly url: string;
  readonly domNode: Element | null;
  readonly deepLinking: boolean;
  readonly docExpansion: 'list' | 'full' | 'none';
  readonly defaultModelsExpandDepth: number;
  readonly displayRequestDuration: boolean;
  readonly filter: boolean;
  readonly validatorUrl: null;
  readonly onComplete: () => void;
}): {
  getSystem(): { readonly layoutActions: { show(thing: readonly string[], isShown: boolean): void } };
};

/** Swagger UI has dark colours; the page decides when to use them. */
function followColorScheme(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
  dark.addEventListener('change', apply);
  apply();
}

followColorScheme();

const ui = SwaggerUIBundle({
  // A relative address: a gateway may have put a prefix before the page and the description.
  url: new URL('openapi.json', location.href).href,
  domNode: document.querySelector('#docs'),
  deepLinking: true,
  docExpansion: 'none',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  // No third-party server is asked to validate the description.
  validatorUrl: null,
  onComplete: () => ui.getSystem().layoutActions.show(['operations-tag', 'models'], true),
});
