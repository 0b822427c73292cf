// The app in the npm package: the stack for a project that has no cdk.json with an app of its own.
import { synthesizeApp } from './synthesize-app.ts';

synthesizeApp(() => undefined);
