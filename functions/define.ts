// What own code imports from 'ternion' when it is compiled: nothing of the server. What it does not import is not
// in the compiled file.
import { type DynamoDbSettings, openDynamoDb } from '../shared/features/dynamodb/dynamodb.ts';
import type { FeatureStore } from '../shared/features/feature-store.ts';

export type { AwsCredentials } from '../shared/aws/credentials.ts';
export type { DynamoDbSettings } from '../shared/features/dynamodb/dynamodb.ts';
export { type FeastSettings, feast } from '../shared/features/feast.ts';
export type {
  EntityKey,
  EntityMember,
  FeaturePlan,
  FeatureStore,
  StoredValue,
  WantedFeatures,
} from '../shared/features/feature-store.ts';
export { type FeaturesSettings, features } from '../shared/features/features.ts';
export { type RedisSettings, redis } from '../shared/features/redis/redis.ts';
export type {
  AnswerRecord,
  Middleware,
  OwnCode,
  OwnContext,
  OwnRoute,
  PredictAnswer,
  RouteContext,
} from '../shared/processors/own-code.ts';
export { defineConfig, PredictError } from '../shared/processors/own-code.ts';
export type {
  ClassificationResult,
  EmbeddingResult,
  GraphInputs,
  Instance,
  OutputsResult,
  Prediction,
  Processor,
  ProcessorContext,
  ProcessorDefinition,
  RegressionResult,
  Returned,
} from '../shared/processors/processor.ts';
export { defineProcessor, invalid, unavailable } from '../shared/processors/processor.ts';

/**
 * Features in a table of DynamoDB, for `features`.
 *
 * @throws SettingsError
 */
export function dynamodb(settings: DynamoDbSettings): FeatureStore {
  return openDynamoDb(settings, process.env);
}
