import { App } from 'aws-cdk-lib';
import { ConfigError } from '../shared/config.ts';
import { describeVersions } from './build/find-versions.ts';
import { checkCompliance } from './check-compliance.ts';
import { InferenceStack } from './inference-stack.ts';
import { parseSettings, toStackProps } from './settings.ts';
import { SettingsError } from './settings-error.ts';
import { TernionSynthesizer } from './stack-synthesizer.ts';

try {
  // By default the app would synthesize again at exit, and after an error it would synthesize only half an app.
  const app = new App({ autoSynth: false });
  const { copiedModels } = new InferenceStack(app, 'Ternion', {
    synthesizer: new TernionSynthesizer(),
    ...toStackProps(parseSettings(app.node.getAllContext())),
  });
  checkCompliance(app);
  app.synth();
  // The command line of CDK shows what the app prints, for "synth" as well as for "deploy".
  if (copiedModels) console.log(`packed ${describeVersions(copiedModels.versions)}`);
} catch (error) {
  if (!(error instanceof SettingsError || error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
