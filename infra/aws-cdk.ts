// The module 'ternion/aws-cdk' of the npm package: all that is public for CDK apps.
export type { Throttling } from './http-endpoint.ts';
export { InferenceFunction, type InferenceFunctionProps } from './inference-function.ts';
export { InferenceStack, type InferenceStackProps } from './inference-stack.ts';
export { ModelBucket, type ModelBucketProps } from './model-bucket.ts';
export { SettingsError } from './settings-error.ts';
