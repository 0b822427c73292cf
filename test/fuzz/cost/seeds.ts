import type { Trial } from './trials.ts';

/** Below MAX_BODY_BYTES, with room for what stands around a value. */
const LARGEST = 32_000_000;
const GZIP = ['gzip'];

/** Requests that were costly once. The search begins with these. */
export const SEEDS: readonly Trial[] = [
  json('POST /predictions/{model}', 'iris', 'empty objects', 'root'),
  json('POST /predictions/{model}', 'iris', 'empty objects', 'member "data"'),
  json('POST /hf/{model}', 'digits', 'empty objects', 'member "inputs"'),
  json('POST /predictions/{model}', 'sentiment', 'empty strings', 'root'),
  json('POST /predict', 'iris', 'empty objects', 'root'),
  json('POST /predict', 'iris', 'objects and NaN at the end', 'member "instances"'),
  json('POST /v1/models/{model}:predict', 'floats', 'lists and a wide integer', 'member "instances"'),
  json('POST /invocations', 'iris', 'empty objects', 'member "dataframe_records"'),
  json('POST /v2/models/{model}/infer', 'strings', 'empty strings', 'the data of texts'),
  {
    ...json('POST /models/{model}/predict', 'sentiment', 'a text of marks', 'member "text"'),
    bytes: 400_000,
  },
  { ...json('POST /hf/{model}', 'unigram', 'a text of marks', 'member "inputs"'), bytes: 400_000 },
  { ...json('POST /predict', 'iris', 'white space', 'root'), times: 40 },
  { ...json('POST /v2/models/{model}/infer', 'iris', 'brackets alone', 'root'), times: 40 },
  // An added token that could begin at each position, and occurs at none.
  {
    ...json('POST /models/{model}/predict', 'added', 'a string of letters', 'member "text"'),
    bytes: 400_000,
  },
  lines('POST /models/{model}/invoke', 'digits', 'JSON lines: AVIFs'),
  lines('POST /endpoints/{endpoint}/invocations', 'digits', 'JSON lines: WebPs as b64'),
  lines('POST /models/{model}/invoke', 'digits', 'CSV: AVIFs'),
  lines('POST /models/{model}/invoke', 'iris', 'CSV: rows'),
  lines('POST /models/{model}/invoke', 'iris', 'JSON lines: every second line fails'),
  lines('POST /v2/models/{model}/infer', 'iris', 'V2 binary: rows of four with classification of one output'),
  lines('POST /v2/models/{model}/infer', 'iris', 'V2 binary: rows of four'),
  lines('POST /v2/models/{model}/infer', 'strings', 'V2 binary: empty texts'),
  lines('POST /predict', 'digits', 'form: empty files'),
  lines('POST /predictions/{model}', 'iris', 'pairs: data'),
  lines('POST /models/{model}/invoke', 'strings', 'npy: short texts in columns'),
  lines('POST /models/{model}/invoke', 'iris', 'npy: a long header'),
  lines('POST /models/{model}/invoke', 'floats', 'npz: sixteen arrays'),
  lines('POST /models/{model}/predict', 'digits', 'image: AVIF of 50 megapixels', []),
  lines('POST /models/{model}/predict', 'convnext', 'image: WEBP of 50 megapixels', []),
  lines('POST /models/{model}/predict', 'digits', 'image: PNG of 50 megapixels', []),
  lines('POST /models/{model}/predict', 'convnext', 'image: AVIF in 12 bits'),
  lines('POST /models/{model}/predict', 'convnext', 'image: interlaced PNG in 16 bits'),
  lines('POST /models/{model}/predict', 'convnext', 'image: progressive CMYK JPEG'),
  lines('POST /models/{model}/predict', 'convnext', 'image: GIF of 50 megapixels'),
  lines('POST /models/{model}/predict', 'digits', 'image: JPEG of many scans'),
  lines('POST /models/{model}/predict', 'digits', 'image: TIFF of JPEGs'),
  lines('POST /models/{model}/predict', 'digits', 'image: PNG with many texts that inflate'),
  lines('POST /models/{model}/predict', 'digits', 'image: PNG with a chunk many times'),
  lines('POST /models/{model}/predict', 'digits', 'image: JPEG of many segments'),
  lines('POST /models/{model}/predict', 'digits', 'image: WebP of many frames'),
  lines('PUT /{model}/{version}/predict', 'sum', 'form: line breaks'),
  // Node's own URLSearchParams takes quadratic time for pairs without "=".
  lines('POST /predictions/{model}', 'iris', 'pairs: data of nothing'),
  lines('POST /predictions/{model}', 'iris', 'pairs: pluses'),
  lines('POST /predictions/{model}', 'iris', 'form: a header of quotes'),
  { ...lines('POST /models/{model}/invoke', 'sum', 'CSV: wide rows that fail'), bytes: 4_000_000 },
  lines('POST /models/{model}/invoke', 'strings', 'JSON lines: wide lines that fail'),
  lines('POST /models/{model}/invoke', 'iris', 'CSV: line breaks in quotes'),
  lines('POST /models/{model}/invoke', 'mlflow', 'CSV: quoted cells'),
  lines('POST /models/{model}/invoke', 'mlflow', 'npz: one array'),
  lines('POST /models/{model}/invoke', 'iris', 'npz: many small arrays'),
  {
    ...json('POST /v2/models/{model}/infer', 'list', 'unique keys', 'root'),
    codings: ['deflate', 'deflate'],
  },
  json('POST /v1/models/{model}:predict', 'floats', 'NaNs', 'member "instances"'),
  json('POST /v2/repository/index', 'iris', 'ones', 'root'),
  json('POST /predictions/{model}', 'sum', 'ones and NaN at the end', 'data of an instance'),
  // A graph that cuts texts into words gives all of them the room of the longest.
  { ...lines('POST /models/{model}/predict', 'words', 'plain text'), bytes: 16_000_000 },
  {
    ...json(
      'POST /v1/models/{model}:predict',
      'words',
      'a thousand texts, one of them long',
      'member "instances"',
    ),
    bytes: 900_000,
  },
  lines('POST /endpoints/{endpoint}/invocations-response-stream', 'digits', 'LibSVM of one long row'),
  lines('POST /models/{model}/invoke', 'iris', 'CSV: line breaks in one quoted cell'),
  // Arrays that have to be converted.
  { ...lines('POST /endpoints/{endpoint}/invocations', 'halves', 'npy: booleans'), bytes: 16_000_000 },
  {
    ...lines('POST /models/{model}/invoke', 'halves', 'npy: whole numbers of eight bits'),
    bytes: 16_000_000,
  },
  lines('POST /models/{model}/invoke', 'integers', 'npy: halves'),
  // A million predictions.
  { ...lines('POST /models/{model}/invoke', 'zipmap', 'npz: one array', ['br']), bytes: 16_000_000 },
  json('POST /predict', 'convnext', 'a string of spaced base64', 'member "image"'),
];

function json(route: string, model: string, value: string, place: string): Trial {
  return { route, model, maker: 'JSON', value, place, bytes: LARGEST, codings: GZIP };
}

function lines(route: string, model: string, maker: string, codings: readonly string[] = GZIP): Trial {
  return { route, model, maker, bytes: LARGEST, codings };
}
