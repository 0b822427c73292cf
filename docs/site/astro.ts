// Runs the command of the generator, which would report its use to its authors: node astro.ts build
process.env.ASTRO_TELEMETRY_DISABLED = '1';
await import(new URL('node_modules/astro/bin/astro.mjs', import.meta.url).href);
