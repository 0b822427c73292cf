import { defineCollection } from 'astro:content';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { docsSchema } from '@astrojs/starlight/schema';
import type { Loader } from 'astro/loaders';
import { ROOT, readContents } from '../pages.ts';

/** Reads the pages where they are in the repository. */
const loader: Loader = {
  name: 'pages-of-the-repository',
  async load({ store, parseData, renderMarkdown, watcher }) {
    const fill = async () => {
      store.clear();
      for (const { path, slug, title, body, isText } of readContents().pages) {
        const id = slug === '' ? 'index' : slug;
        const data = await parseData({ id, data: { title, pagefind: isText } });
        const rendered = await renderMarkdown(body, { fileURL: pathToFileURL(join(ROOT, path)) });
        store.set({ id, data, body, rendered });
      }
    };
    await fill();
    watcher?.add(join(ROOT, 'docs'));
    watcher?.on('change', (path) => path.endsWith('.md') && void fill());
  },
};

export const collections = { docs: defineCollection({ loader, schema: docsSchema() }) };
