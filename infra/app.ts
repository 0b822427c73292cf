import { App } from 'aws-cdk-lib';
import { ConfigError } from '../shared/config.ts';
import { checkCompliance } from './compliance.ts';
import { InferenceStack } from './inference-stack.ts';
import { parseSettings } from './settings.ts';
import { SettingsError } from './settings-error.ts';

try {
  // By default the app would synthesize again at exit, and after an error it would synthesize only half an app.
  const app = new App({ autoSynth: false });
  new InferenceStack(app, 'Ternion', parseSettings(app.node.getAllContext()));
  checkCompliance(app);
  app.synth();
} catch (error) {
  if (!(error instanceof SettingsError || error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
