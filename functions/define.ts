// What own code imports from 'ternion' when it is compiled: nothing of the server.
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
export { defineProcessor, invalid } from '../shared/processors/processor.ts';
