import type { Pages } from '../../shared/pages/pages.ts';

/** The pages of a server without any. */
export const NO_PAGES: Pages = { read: async () => undefined };
