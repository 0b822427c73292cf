import { type ByteSource, ProtobufError, readFields } from '../../../shared/onnx/protobuf.ts';
import type { ForeignFile } from './foreign-kinds.ts';

/** How much of a file is looked at, at its start and at its end. */
const LOOKED_AT = 64 * 1024;

/**
 * The kind of a file that is not a graph, by its content; undefined if it is not known. Archives list the names of
 * their files at the end.
 */
export function recogniseForeignFile(source: ByteSource): ForeignFile | undefined {
  const start = latin1(source.bytes(0, Math.min(source.length, LOOKED_AT)));
  if (start.startsWith('PK\x03\x04')) return recogniseZip(start + endOf(source));
  const [name] =
    MAGIC.find(([, at, magic]) => start.startsWith(magic, at)) ??
    TEXTS.find(([, pattern]) => pattern.test(start)) ??
    [];
  if (name !== undefined) return name;
  if (isPickle(start)) return recognisePickle(start);
  return recogniseMessage(source, start);
}

/** Pickles of protocols 2 to 5 begin with the protocol's number, older ones with the name of a class. */
function isPickle(start: string): boolean {
  const protocol = start.charCodeAt(1);
  if (start.startsWith('\x80')) return protocol >= 2 && protocol <= 5;
  return /^c[\w.]+\n\w+\n/.test(start);
}

function endOf(source: ByteSource): string {
  return latin1(source.bytes(Math.max(0, source.length - LOOKED_AT), source.length));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** Bytes at an offset near the start. Sources: the formats' specifications, and files that their packages write. */
const MAGIC: readonly (readonly [ForeignFile, number, string])[] = [
  ['hdf5', 0, '\x89HDF\r\n\x1a\n'],
  ['catboost', 0, 'CBM1'],
  ['tflite', 4, 'TFL3'],
  ['ort', 4, 'ORTM'],
  ['gguf', 0, 'GGUF'],
  ['tensorRt', 0, 'ftrt'],
  ['tensorRt', 0, 'ptrt'],
  // A length in eight bytes comes before the JSON.
  ['safetensors', 6, '\0\0{"'],
  // Binary JSON (UBJSON), whose first key has a length in eight bytes; then the older format.
  ['xgboost', 10, 'learner'],
  ['xgboost', 0, 'binf'],
  // The number at the start of files from PyTorch before 1.6, as a separate pickle.
  ['torch', 0, '\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.'],
  // gzip, bzip2, xz, zstandard, tar, and zlib at the levels of joblib.
  ['compressed', 0, '\x1f\x8b'],
  ['compressed', 0, 'BZh'],
  ['compressed', 0, '\xfd7zXZ'],
  ['compressed', 0, '\x28\xb5\x2f\xfd'],
  ['compressed', 257, 'ustar'],
  ...['\x01', '\x5e', '\x9c', '\xda'].map((level) => ['compressed', 0, `\x78${level}`] as const),
];

/** How text files begin; the first match counts. */
const TEXTS: readonly (readonly [ForeignFile, RegExp])[] = [
  ['lfs', /^version https:\/\/git-lfs/],
  ['openVino', /^\s*(?:<\?xml[^>]*>\s*)?<net\s/],
  ['pmml', /^\s*(?:<\?xml[^>]*>\s*)?<PMML\s/],
  ['webPage', /^\s*<(?:!doctype|html|\?xml)/i],
  ['lightgbm', /^tree\s+version=v\d/],
  ['tensorFlowJs', /^\s*\{[\s\S]*"format"\s*:\s*"(?:layers|graph)-model"/],
  ['xgboost', /^\s*\{[\s\S]{0,200}"learner"/],
  ['catboost', /^\s*\{[\s\S]*"oblivious_trees"/],
  ['config', /^\s*\{[\s\S]*"task"\s*:\s*"/],
];

/** Archives by the names of the files in them; the first match counts. */
const ZIPS: readonly (readonly [ForeignFile, RegExp])[] = [
  ['torchServe', /MAR-INF\//],
  ['keras', /model\.weights\.h5/],
  ['torchExport', /serialized_exported_program\.json|archive_format|models\/\w+\.json/],
  ['torchScript', /constants\.pkl/],
  ['torch', /data\.pkl/],
  ['numpy', /\.npy/],
];

function recogniseZip(names: string): ForeignFile {
  return ZIPS.find(([, pattern]) => pattern.test(names))?.[0] ?? 'zip';
}

/** A pickle names the modules of its classes. Wrappers of models come first. */
const PICKLES: readonly (readonly [ForeignFile, RegExp])[] = [
  ['sklearn', /sklearn[._]/],
  ['xgboostPickle', /xgboost[._]/],
  ['lightgbmPickle', /lightgbm[._]/],
  ['catboostPickle', /catboost[._]/],
  ['torch', /torch[._]|torch\n/],
];

function recognisePickle(text: string): ForeignFile {
  const found = PICKLES.flatMap(([name, pattern]) => {
    const at = text.search(pattern);
    return at === -1 ? [] : [{ name, at }];
  });
  return found.sort((a, b) => a.at - b.at)[0]?.name ?? 'pickle';
}

/** Other messages of protocol buffers, whose fields have the numbers of ONNX but other meanings. */
function recogniseMessage(source: ByteSource, start: string): ForeignFile | undefined {
  const message = recogniseFields(source);
  if (message === undefined || message === 'coreMl') return message;
  if (/saver_def|saved_model_main_op|StatefulPartitionedCall|VarHandleOp/.test(start + endOf(source))) {
    return 'savedModel';
  }
  // A list of nodes (field 1); the first nodes usually have these operators.
  const isList = start.startsWith('\n') && /Placeholder|Const/.test(start.slice(0, 500));
  return isList ? 'frozenGraph' : undefined;
}

/**
 * What the fields of a file say about it; undefined if it is not a message, or is empty. A file can have millions of
 * fields, so none of them is kept.
 */
function recogniseFields(source: ByteSource): 'coreMl' | 'message' | undefined {
  try {
    let [hasVersion, hasKind, hasFields] = [false, false, false];
    for (const { number } of readFields(source)) {
      hasFields = true;
      hasVersion ||= number === 1;
      // The kind of model of Core ML. Source: Model.proto.
      hasKind ||= number >= 200;
    }
    if (!hasFields) return undefined;
    return hasVersion && hasKind ? 'coreMl' : 'message';
  } catch (error) {
    if (error instanceof ProtobufError) return undefined;
    throw error;
  }
}
