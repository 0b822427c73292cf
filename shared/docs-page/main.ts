/** As much of Swagger UI as is used here. Its script stands before this one. */
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

/** Swagger UI has dark colours, and leaves it to the page when to use them. */
function followColorScheme(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
  dark.addEventListener('change', apply);
  apply();
}

followColorScheme();

const ui = SwaggerUIBundle({
  // Beside the page, whatever prefix a gateway has put before both.
  url: new URL('openapi.json', location.href).href,
  domNode: document.querySelector('#docs'),
  deepLinking: true,
  docExpansion: 'none',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  // No foreign server is asked whether the description is valid.
  validatorUrl: null,
  onComplete: () => ui.getSystem().layoutActions.show(['operations-tag', 'models'], true),
});
