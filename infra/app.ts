// The app of cdk.json, which also checks the stack against the AwsSolutions rules.
import { checkCompliance } from './check-compliance.ts';
import { synthesizeApp } from './synthesize-app.ts';

synthesizeApp(checkCompliance);
