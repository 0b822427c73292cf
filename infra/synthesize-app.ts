import { App } from 'aws-cdk-lib';
import cdkJson from '../cdk.json' with { type: 'json' };
import { describeVersions } from '../functions/cli/deploy/find-versions.ts';
import { ConfigError } from '../shared/config.ts';
import { InferenceStack } from './inference-stack.ts';
import { parseSettings, toStackProps } from './settings.ts';
import { SettingsError } from './settings-error.ts';
import { TernionSynthesizer } from './stack-synthesizer.ts';

/**
 * The app that CDK runs: one stack with the settings of its context. A mistake in them ends the process with one
 * sentence.
 *
 * @param prepare is called before the app is written
 */
export function synthesizeApp(prepare: (app: App) => void): void {
  try {
    // By default the app would synthesize again at exit, and after an error it would synthesize only half an app.
    const app = new App({ autoSynth: false, context: cdkJson.context });
    const { copiedModels } = new InferenceStack(app, 'Ternion', {
      synthesizer: new TernionSynthesizer(),
      ...toStackProps(parseSettings(app.node.getAllContext())),
    });
    prepare(app);
    app.synth();
    // The command line of CDK shows what the app prints, for "synth" as well as for "deploy".
    if (copiedModels) console.log(`packed ${describeVersions(copiedModels.versions)}`);
  } catch (error) {
    if (!(error instanceof SettingsError || error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
