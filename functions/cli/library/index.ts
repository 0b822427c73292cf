// The package, for `import ... from 'ternion'`: all that is public.
export { ConfigError } from '../../../shared/config.ts';
export * from '../../define.ts';
export { ListenError } from '../../server.ts';
export {
  type AppOptions,
  createApp,
  type MountOptions,
  type ServeOptions,
  serve,
  type TernionApp,
  type TernionServer,
} from './app.ts';
export { loadConfig } from './load-config.ts';
export {
  type ModelInput,
  type ModelPrediction,
  type Models,
  type OpenModel,
  type OpenOptions,
  open,
} from './open.ts';
