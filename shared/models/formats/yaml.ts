import {
  binaryTag,
  defineScalarTag,
  floatYaml11Tag,
  intYaml11Tag,
  load,
  mapTag,
  mergeTag,
  NOT_RESOLVED,
  nullYaml11Tag,
  omapTag,
  pairsTag,
  Schema,
  seqTag,
  setTag,
  strTag,
  YAMLException,
} from 'js-yaml';

/** The text is not YAML, is nested too deeply, or has too many aliases. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
}

/**
 * Reads one document as PyYAML's `safe_load` does, which means YAML 1.1: `yes` is true, `010` is eight, `12:30` is 750
 * and `1e5` is text. Dates stay texts, and a repeated key is an error.
 *
 * @throws YamlError with the line and the column
 */
export function readYaml(text: string): unknown {
  try {
    return load(text, { schema: SCHEMA, maxDepth: DEEPEST, maxAliases: MOST_ALIASES });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { mark } = error;
    const place = mark ? `line ${mark.line + 1}, column ${mark.column + 1}: ` : '';
    // The reason can quote a tag or an alias, which can be as long as the whole text.
    throw new YamlError(`${place}${error.reason.slice(0, 100)}`, { cause: error });
  }
}

/** Deepest nesting; MLflow's files need five levels. */
const DEEPEST = 64;

/** Most aliases. PyYAML writes one for each repeated object. */
const MOST_ALIASES = 1000;

const TRUE = /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/;

/** YAML 1.1 without the words `y` and `n`, which PyYAML treats as texts. */
const booleans = defineScalarTag('tag:yaml.org,2002:bool', {
  implicit: true,
  implicitFirstChars: [...'yYnNtTfFoO'],
  resolve: (source) => (TRUE.test(source) ? true : FALSE.test(source) ? false : NOT_RESOLVED),
  identify: (value) => typeof value === 'boolean',
});

/** All tags of YAML 1.1 but dates. */
const SCHEMA = new Schema([
  ...[strTag, seqTag, mapTag, nullYaml11Tag, booleans, intYaml11Tag, floatYaml11Tag],
  ...[mergeTag, binaryTag, omapTag, pairsTag, setTag],
]);
