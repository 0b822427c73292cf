import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { satteri } from '@astrojs/markdown-satteri';
import starlight from '@astrojs/starlight';
import { defineConfig, passthroughImageService } from 'astro/config';
import { createPlugins } from './links.ts';
import { ROOT, readContents, sortIntoGroups } from './pages.ts';

/** Where the site will be on its host, such as `/ternion/`. */
const base = process.env.DOCS_BASE ?? '/';

const contents = readContents();

const copies = join(import.meta.dirname, 'public/files');
rmSync(copies, { recursive: true, force: true });
for (const path of contents.copied) cpSync(join(ROOT, path), join(copies, path));

export default defineConfig({
  base,
  trailingSlash: 'always',
  // The Markdown already has the characters that readers should see.
  markdown: {
    processor: satteri({ ...createPlugins(contents, base), features: { smartPunctuation: false } }),
  },
  image: { service: passthroughImageService() },
  vite: { build: { assetsInlineLimit: 0 } },
  integrations: [
    starlight({
      title: 'Ternion',
      description: 'Serves ONNX models on AWS Lambda, Google Cloud and Azure, and on your own machine.',
      favicon: '/favicon.svg',
      // Commands look the same in all blocks, not like terminal windows.
      expressiveCode: { defaultProps: { frame: 'none' } },
      customCss: ['./src/site.css'],
      sidebar: sortIntoGroups(contents.pages).map(({ label, pages }) => ({
        label,
        items: pages.map(({ slug, title }) => ({ slug, label: title })),
      })),
    }),
    {
      name: 'diagrams',
      hooks: {
        'astro:config:setup': ({ injectScript }) => injectScript('page', "import '/src/diagrams.ts';"),
      },
    },
  ],
});
