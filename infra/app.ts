import { App } from 'aws-cdk-lib';
import { ConfigError } from '../shared/config.ts';
import { checkCompliance } from './compliance.ts';
import { InferenceStack } from './inference-stack.ts';
import { parseSettings } from './settings.ts';
import { SettingsError } from './settings-error.ts';

try {
  // Left to itself the app would synthesize once more at exit, and half an app at that after an error.
  const app = new App({ autoSynth: false });
  new InferenceStack(app, 'Ternion', parseSettings(app.node.getAllContext()));
  checkCompliance(app);
  app.synth();
} catch (error) {
  if (!(error instanceof SettingsError || error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
