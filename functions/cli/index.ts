#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import { VERSION } from '../../shared/version.ts';
import { type Console, createConsole, describeFailure } from './console.ts';

/** Exit codes: 0 done, 1 failed, 2 called in a wrong way, 3 done but some rows were bad, 130 stopped by a signal. */
const program = new Command('ternion')
  .description('Serves and runs ONNX models.')
  .version(VERSION)
  .option('--json', 'print results as JSON')
  .enablePositionalOptions()
  .exitOverride()
  .showSuggestionAfterError();

const repository = () =>
  new Option('-r, --repository <url>', 'model repository: a folder or s3:// URL').env('MODEL_REPOSITORY');

/** A command; whatever it is, its results can be had as JSON. */
function command(name: string, description: string): Command {
  return program.command(name).description(description).option('--json', 'print results as JSON');
}

/** The option can stand before the command as well. */
function open({ json }: { json?: boolean }): Console {
  return createConsole(json === true || program.opts<{ json?: boolean }>().json === true);
}

// Each command is loaded when it is used: `--help` need not parse an inference core.
command('serve', 'serve the models of a repository over HTTP')
  .addOption(repository())
  .addOption(new Option('-p, --port <number>', 'port').default('8080').env('PORT'))
  .addOption(new Option('--host <address>', 'address; 0.0.0.0 for all').default('127.0.0.1'))
  .addOption(new Option('--grace <seconds>', 'how long requests are still taken after SIGTERM').default('5'))
  .action(async (options) => (await import('./commands/serve.ts')).serve(options, open(options)));

command('predict', 'answer one request')
  .argument('<model>', 'name, name/version, or path of a model file or folder')
  .argument('<data>', 'JSON, a file with JSON or an image, or - for stdin')
  .addOption(repository())
  .action(async (model, data, options) =>
    (await import('./commands/predict.ts')).predict(model, data, options, open(options)),
  );

command('batch', 'predict all rows of a file, or all images of a folder')
  .argument('<model>', 'name, name/version, or path of a model file or folder')
  .argument('<input>', 'a .csv or .jsonl file, or a folder of images')
  .argument('<output>', 'a .jsonl or .csv file')
  .addOption(repository())
  .option('-b, --batch-size <rows>', 'rows in one run', '256')
  .addOption(
    new Option('--header <rule>', 'whether CSV begins with names')
      .choices(['auto', 'present', 'absent'])
      .default('auto'),
  )
  .option('-f, --force', 'replace the output', false)
  .action(async (model, input, output, options) =>
    (await import('./commands/batch.ts')).batch(model, input, output, options, open(options)),
  );

command('inspect', 'show what a model takes and gives, and what it is taken for')
  .argument('<model>', 'path of a model file or folder, or a name of the repository')
  .addOption(repository())
  .action(async (model, options) =>
    (await import('./commands/inspect.ts')).inspect(model, options, open(options)),
  );

command('add', 'publish a model: check it, copy it into a repository and try it there')
  .argument('<path>', 'a model file, or the folder of an export')
  .option('-n, --name <name>', 'name of the model; made of the path without it')
  .option('-v, --version <version>', 'version; the one behind the highest without it')
  .option('-r, --repository <folder>', 'folder of the repository', 'models')
  .option('--optimize', 'save the graph as the runtime simplifies it for any machine', false)
  .action(async (path, options) => (await import('./commands/add.ts')).add(path, options, open(options)));

command('compare', 'run two models on the same rows')
  .argument('<a>', 'name, name/version, or path of a model file or folder')
  .argument('<b>', 'the other one')
  .requiredOption('-d, --data <file>', 'a .csv or .jsonl file, or a folder of images')
  .addOption(repository())
  .option('-n, --rows <number>', 'most rows to compare', '1000')
  .addOption(
    new Option('--header <rule>', 'whether CSV begins with names')
      .choices(['auto', 'present', 'absent'])
      .default('auto'),
  )
  .action(async (a, b, options) =>
    (await import('./commands/compare.ts')).compare(a, b, options, open(options)),
  );

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its message; help and version are no failures.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    const { text, exitCode } = describeFailure(error);
    process.stderr.write(`${text}\n`);
    process.exitCode = exitCode;
  }
}
