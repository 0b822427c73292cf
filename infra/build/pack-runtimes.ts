// Puts ONNX Runtime for all platforms into dist/, before npm packs it: the package then needs no install script.
import { join } from 'node:path';
import { stageRuntimes } from './native-files.ts';

stageRuntimes(join(import.meta.dirname, '../..'), ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64']);
