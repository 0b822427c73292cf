import { type Command, Option } from 'commander';
import { KEEP_ALIVE_SECONDS } from '../keep-alive.ts';

/** Texts of the help that several commands share, and the examples of each command. */
export const MODEL =
  'name, name/version or name@alias in the repository, or the path of a file, folder or archive';
export const ROWS = 'a .csv, .tsv or .jsonl file, or a folder of images';

export const repositoryOption = () =>
  new Option('-r, --repository <url>', 'folder, or s3://, gs:// or az:// URL, that holds the models')
    .default('models')
    .env('MODEL_REPOSITORY');

/** What `ternion build` makes. */
export const TARGETS = 'aws-arm64, aws-x64, gcp, gcp-server or azure';

export const modelsOption = () =>
  new Option('--models <folder>', 'folder of the models that are packed').default('models');

export const outputOption = () =>
  new Option('-o, --output <folder>', 'folder in which they are built').default('dist');

export const checkOption = () =>
  new Option('--no-check', 'do not load the models first, to see whether they can answer');

export const configOption = () =>
  new Option('--config <path>', 'own code of the project (default: ternion.config.ts in this folder)');

export const fileOption = () =>
  new Option('--file <path>', 'the graph of a folder that has several, such as onnx/model_q4.onnx');

export const headerOption = () =>
  new Option('--header <rule>', 'whether the first row has the names of the columns')
    .choices(['auto', 'present', 'absent'])
    .default('auto');

export const delimiterOption = () =>
  new Option('--delimiter <character>', 'separator of cells, or "tab" (default: ","; a tab for .tsv)');

export const portOption = () =>
  new Option('-p, --port <number>', 'port; 0 for any free port').default('8080').env('PORT');

export const hostOption = () =>
  new Option('--host <address>', 'name or address to listen on; :: for all, 0.0.0.0 for all of IPv4').default(
    'localhost',
  );

export const keepAliveOption = () =>
  new Option('--keep-alive <seconds>', 'how long to keep idle connections open').default(
    String(KEEP_ALIVE_SECONDS),
  );

export const MAIN_EXAMPLES = examples(
  [
    ['ternion inspect model.onnx', 'what it takes and gives'],
    ['ternion predict model.onnx "[5.1, 3.5, 1.4, 0.2]"', 'one prediction'],
    ['ternion add model.onnx --name iris', 'publish it as models/iris/1'],
    ['ternion serve', 'all models over HTTP'],
  ],
  'Exit codes: 0 done, 1 failed, 2 wrong usage, 3 some rows bad, 130 interrupted.\nRun ternion <command> --help for options and more examples.',
);

export const SERVE_EXAMPLES = examples([
  ['ternion serve --repository my-models --port 8081', ''],
  ['ternion serve --host 0.0.0.0 --repository s3://bucket/models', ''],
]);

export const PREDICT_EXAMPLES = examples([
  ['ternion predict iris "[5.1, 3.5, 1.4, 0.2]"', 'a row'],
  ['ternion predict houses \'{"city": "Oslo", "area": 106}\'', 'a row by name'],
  ['ternion predict reviews "I liked it a lot."', 'a text'],
  ['ternion predict digits seven.png', 'an image'],
  ['ternion predict iris - < rows.json', 'JSON from stdin'],
]);

export const BATCH_EXAMPLES = examples(
  [
    ['ternion batch iris flowers.csv species.csv', ''],
    ['ternion batch iris flowers.csv species.csv --delimiter ";"', ''],
    ['ternion batch digits photos/ digits.jsonl', ''],
    ['ternion batch reviews texts.csv moods.csv --safe-cells', 'for a spreadsheet'],
  ],
  'After an interruption, run the same command again to resume. Rows that cannot be\nrun are kept with their error, and the exit code is then 3.',
);

export const INSPECT_EXAMPLES = examples([
  ['ternion inspect exports/model.onnx', ''],
  ['ternion inspect iris/2 --json', ''],
]);

export const ADD_EXAMPLES = examples([
  ['ternion add exports/houses', ''],
  ['ternion add model.onnx --name iris --version 1.2.0', ''],
  ['ternion add exports/minilm --file onnx/model_q4.onnx', 'one graph of several'],
  ['ternion add model.onnx --name iris -r s3://bucket/models', ''],
  ['ternion add hf://owner/repo@main', 'from Hugging Face'],
  ['ternion add models:/iris@champion', 'from MLflow'],
]);

export const VERIFY_EXAMPLES = examples(
  [
    ['ternion verify', 'all versions of ./models'],
    ['ternion verify iris/2 -r s3://bucket/models', ''],
  ],
  'Lists each file that differs, is missing or is not in files.json; the exit code\nis then 1. Versions without a files.json are listed as not checked.',
);

export const PUSH_EXAMPLES = examples(
  [
    ['ternion push iris/3 s3://production/models', 'from ./models'],
    ['ternion push iris@champion s3://bucket/models -r gs://staging', ''],
  ],
  'The version has the same bytes in both. A push that was interrupted is completed\nby the next one.',
);

export const MIRROR_EXAMPLES = examples(
  [['ternion mirror s3://models-in-another-region -r s3://models', '']],
  'Copies each version that is not there yet, then aliases and policies. Removes\nnothing. The exit code is 1 if a version could not be copied.',
);

export const RESTORE_EXAMPLES = examples(
  [
    ['ternion restore s3://models-in-another-region -r s3://models', ''],
    ['ternion restore s3://models-in-another-region iris -r s3://models', ''],
  ],
  'Copies versions that are missing, and files that are missing or damaged. Aliases\nare written only if there are none.',
);

export const LIST_EXAMPLES = examples([
  ['ternion list', 'of ./models'],
  ['ternion list -r s3://production/models', ''],
]);

export const SHOW_EXAMPLES = examples([
  ['ternion show iris', ''],
  ['ternion show iris/3 --json', ''],
]);

export const TAG_EXAMPLES = examples([
  ['ternion tag iris team=botany --description "Species of iris"', ''],
  ['ternion tag iris/3 --metric accuracy=0.97', ''],
]);

export const ALIAS_EXAMPLES = examples(
  [
    ['ternion alias iris', 'list them'],
    ['ternion alias iris canary 3', ''],
    ['ternion alias iris canary --remove', ''],
  ],
  'From the first alias, split or promotion on, a new version is not live until it is\npromoted.',
);

export const SPLIT_EXAMPLES = examples(
  [
    ['ternion split iris canary=5 --key header:x-user-id', 'the live version gets the rest'],
    ['ternion split iris canary=25', 'nobody moves back'],
    ['ternion split iris --shadow 4=10', ''],
    ['ternion split iris --rule \'canary={"header.x-country": "CH"}\'', ''],
    ['ternion split iris --clear', 'everything to the live version'],
  ],
  'What is not named stays as it is.',
);

export const PROMOTE_EXAMPLES = examples(
  [
    ['ternion promote iris 3 --dry-run', ''],
    ['ternion promote iris canary --limit accuracy=0.01', ''],
    ['ternion promote iris 3 --needs-approval --by ada', 'then, by another person:'],
    ['ternion promote iris 3 --by bob', ''],
  ],
  'The version must answer its reference.json, or else an example, and no metric of\nthe live version may be worse in it by more than its limit.',
);

export const DIFF_EXAMPLES = examples([['ternion diff iris 2 3', '']]);

export const ARCHIVE_EXAMPLES = examples([
  ['ternion archive iris 1', ''],
  ['ternion archive iris 1 --undo', ''],
]);

export const DELETE_EXAMPLES = examples(
  [['ternion delete iris 1', '']],
  'A version that is live, has an alias or is in the split is not deleted.',
);

export const ROLLBACK_EXAMPLES = examples(
  [
    ['ternion rollback iris --why "wrong units"', 'the revision before'],
    ['ternion rollback iris --to 4', ''],
  ],
  'It is a new revision; the history keeps all of them.',
);

export const HISTORY_EXAMPLES = examples([
  ['ternion history iris', ''],
  ['ternion history iris --verify', 'the exit code is 1 if something is wrong'],
]);

export const CARD_EXAMPLES = examples([['ternion card iris/3', '']]);

export const INDEX_EXAMPLES = examples(
  [['ternion index -r s3://models', '']],
  'For a bucket into which other programs have copied models; all other commands keep\nits index up to date.',
);

export const COMPARE_EXAMPLES = examples([
  ['ternion compare iris/1 iris/2 --data flowers.csv', ''],
  ['ternion compare model.onnx quantized.onnx --data rows.jsonl', ''],
]);

export const TYPES_EXAMPLES = examples(
  [['ternion types', "const iris = await open('models/iris') is then typed"]],
  'Models that cannot be loaded are left out; the exit code is then 3.',
);

export const EXPORT_HELPER_EXAMPLES = examples([
  ['ternion export-helper', 'ternion_export.py in this folder'],
  ['ternion export-helper training/', ''],
]);

export const INIT_EXAMPLES = examples(
  [
    ['ternion init my-project', ''],
    ['ternion init my-project --clouds aws,gcp', 'with what two clouds need'],
  ],
  'It replaces no file: a folder with files of its own is refused.',
);

export const DEV_EXAMPLES = examples([
  ['ternion dev', ''],
  ['ternion dev --repository my-models --port 8081', ''],
]);

export const BUILD_EXAMPLES = examples(
  [
    ['ternion build aws-arm64', 'dist/aws-arm64 for AWS Lambda'],
    ['ternion build gcp azure --models my-models', ''],
  ],
  'Libraries for other platforms than this one are downloaded once.',
);

export const PACKAGE_EXAMPLES = examples([
  ['ternion package gcp', 'dist/gcp and the command for it'],
  ['ternion package azure --deploy --name my-function', ''],
]);

/** What `synth` and `deploy` do. */
export const STACK_PURPOSES = {
  synth: 'write the template of the stack for AWS, and deploy nothing',
  deploy: 'deploy the stack to AWS',
};

export const STACK_EXAMPLES = {
  synth: examples([
    ['ternion synth aws', ''],
    ['ternion synth aws --models my-models -c memorySizeMb=3008', ''],
  ]),
  deploy: examples([['ternion deploy aws --models my-models --profile work', '']]),
};

export const DOCTOR_EXAMPLES = examples(
  [['ternion doctor', '']],
  'It asks nobody over the network. If something is missing, the exit code is 1.',
);

export const BENCH_EXAMPLES = examples(
  [
    ['ternion bench iris --duration 5', 'a model in this process, without HTTP'],
    ['ternion bench http://localhost:8080/models/iris/predict -c 16', 'a server'],
    ['ternion bench https://example.com/score --data row.json --json', 'any server, with JSON'],
  ],
  'Latencies are from sending a request to the end of its answer. One second before\nthe measurement is not counted. If requests fail, the exit code is 3.',
);

export const TOP_EXAMPLES = examples(
  [
    ['ternion top', 'until you press Ctrl+C'],
    ['ternion top https://models.example.com --interval 10', ''],
    ['ternion top --once --json', 'for programs'],
  ],
  'Percentiles are estimates from the buckets of histograms. If the server has a\nMETRICS_TOKEN, set it here as well.',
);

/** Commands with their purpose, side by side if that fits. */
function examples(commands: readonly (readonly [string, string])[], closing?: string): string {
  const width = Math.max(...commands.map(([command]) => command.length));
  const lines = commands.map(([command, meaning]) =>
    meaning === '' ? `  ${command}` : `  ${command.padEnd(width)}  ${meaning}`,
  );
  return ['', 'Examples:', ...lines, ...(closing === undefined ? [] : ['', closing])].join('\n');
}

/**
 * A command as the list shows it, without its options: these are in its own help, and would not fit into a terminal.
 */
export function commandTerm(command: Command): string {
  return [
    command.name(),
    ...command.registeredArguments.map((each) => (each.required ? `<${each.name()}>` : `[${each.name()}]`)),
  ].join(' ');
}
