#!/usr/bin/env -S node --max-semi-space-size=16
import { Command, CommanderError, Option } from 'commander';
import { VERSION } from '../../shared/version.ts';
import { type Console, createConsole, describeFailure, printError, survivePrinting } from './console.ts';
import * as help from './help.ts';

survivePrinting();

/** Made before the arguments are parsed, because they may be wrong. */
const terminal = createConsole(process.argv.slice(2).includes('--json'));

/** Exit codes: 0 done, 1 failed, 2 called incorrectly, 3 done but some rows were bad, 130 stopped by a signal. */
const program = new Command('ternion')
  .description('Runs and serves ONNX models.')
  .usage('<command> [options]')
  .version(VERSION)
  .option('--json', 'print the result as one JSON object')
  .enablePositionalOptions()
  .exitOverride()
  .configureOutput({ writeErr: printError })
  .showSuggestionAfterError()
  .showHelpAfterError('Add --help for usage.')
  .configureHelp({ subcommandTerm: help.commandTerm })
  .helpCommand('help <command>', 'show the help of a command')
  .addHelpText('after', help.MAIN_EXAMPLES);

/** A command; each one can print its result as JSON. */
function plainCommand(name: string, description: string, examples: string): Command {
  return program
    .command(name)
    .description(description)
    .addHelpText('after', examples)
    .option('--json', 'print the result as one JSON object');
}

/**
 * A command of a project.
 *
 * @param usesOwnCode whether it loads the own code of the project before it runs
 */
function command(name: string, description: string, examples: string, usesOwnCode = true): Command {
  return plainCommand(name, description, examples)
    .addOption(help.configOption())
    .hook('preAction', async (_, action) => {
      if (!usesOwnCode) return;
      const { openOwnCode } = await import('./project/own-code.ts');
      await openOwnCode(action.opts<{ readonly config?: string }>().config);
    });
}

// Each command is loaded when it is used, so that `--help` does not have to parse the inference core.
command('serve', 'serve all models of a repository over HTTP', help.SERVE_EXAMPLES)
  .addOption(help.repositoryOption())
  .addOption(help.portOption())
  .addOption(help.hostOption())
  .addOption(new Option('--grace <seconds>', 'how long to accept requests after SIGTERM').default('5'))
  .addOption(help.keepAliveOption())
  .option('--log [format]', 'log each request and each load of a model, as json or pretty lines')
  .allowExcessArguments()
  .action(async (options, { args }) => (await import('./commands/serve.ts')).serve(args, options, terminal));

command('predict', 'answer one request', help.PREDICT_EXAMPLES)
  .argument('<model>', help.MODEL)
  .argument('<data>', 'JSON, a text, a file of JSON or text, an image, or - for stdin')
  .addOption(help.repositoryOption())
  .action(async (model, data, options) =>
    (await import('./commands/predict.ts')).predict(model, data, options, terminal),
  );

command('batch', 'predict all rows of a file or images of a folder', help.BATCH_EXAMPLES)
  .argument('<model>', help.MODEL)
  .argument('<input>', help.ROWS)
  .argument('<output>', 'a .jsonl or .csv file')
  .addOption(help.repositoryOption())
  .addOption(new Option('-b, --batch-size <rows>', 'rows in one run; fewer for images').default('256'))
  .addOption(help.headerOption())
  .addOption(help.delimiterOption())
  .option('-f, --force', 'replace an existing output')
  .option('--safe-cells', 'put an apostrophe before .csv cells that a spreadsheet would run as formulas')
  .action(async (model, input, output, options) =>
    (await import('./commands/batch.ts')).batch(model, input, output, options, terminal),
  );

command('inspect', 'show what a model takes and gives', help.INSPECT_EXAMPLES)
  .argument('<model>', help.MODEL)
  .addOption(help.repositoryOption())
  .addOption(help.fileOption())
  .action(async (model, options) =>
    (await import('./commands/inspect.ts')).inspect(model, options, terminal),
  );

command('add', 'check a model, try it, and publish it in a repository', help.ADD_EXAMPLES)
  .argument(
    '<path>',
    'a model file, the folder of an export, an archive such as model.tar.gz, or an address: hf://owner/repo, models:/name@alias, runs:/run/path',
  )
  .option('-n, --name <name>', 'name of the model (default: from the path)')
  .option('-v, --version <version>', 'version (default: one above the highest)')
  .addOption(help.repositoryOption())
  .addOption(help.fileOption())
  .option('--optimize', 'save the graph as the runtime simplifies it for any machine')
  .option('--force', 'publish a model that fails its test request, or publish it without its inference code')
  .option('--no-lineage', 'do not write down where the model comes from')
  .action(async (path, options) => (await import('./commands/add.ts')).add(path, options, terminal));

command('verify', 'compare the files of models with their files.json', help.VERIFY_EXAMPLES)
  .argument('[model]', 'name or name/version (default: all models)')
  .addOption(help.repositoryOption())
  .action(async (model, options) => (await import('./commands/verify.ts')).verify(model, options, terminal));

plainCommand('push', 'copy a version to another repository', help.PUSH_EXAMPLES)
  .argument('<model>', 'name, name/version or name@alias in the repository')
  .argument('<target>', 'folder or URL of the other repository')
  .addOption(help.repositoryOption())
  .action(async (model, target, options) =>
    (await import('./commands/push.ts')).push(model, target, options, terminal),
  );

plainCommand('mirror', 'copy all versions to another repository', help.MIRROR_EXAMPLES)
  .argument('<target>', 'folder or URL of the other repository')
  .addOption(help.repositoryOption())
  .action(async (target, options) =>
    (await import('./commands/mirror.ts')).mirror(target, options, terminal),
  );

plainCommand('restore', 'get lost or damaged files back from a mirror', help.RESTORE_EXAMPLES)
  .argument('<mirror>', 'folder or URL of the mirror')
  .argument('[model]', 'name (default: all models)')
  .addOption(help.repositoryOption())
  .action(async (source, model, options) =>
    (await import('./commands/mirror.ts')).restore(source, model, options, terminal),
  );

plainCommand('list', 'show the models of a repository, and which versions are served', help.LIST_EXAMPLES)
  .addOption(help.repositoryOption())
  .action(async (options) => (await import('./commands/registry.ts')).list(options, terminal));

plainCommand('show', 'show what is known about a model or a version', help.SHOW_EXAMPLES)
  .argument('<model>', 'name or name/version')
  .addOption(help.repositoryOption())
  .action(async (place, options) => (await import('./commands/registry.ts')).show(place, options, terminal));

/** An option that can be given several times. */
function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

/** A command that changes what a repository serves; its history says who did it and why. */
function changeCommand(name: string, description: string, examples: string): Command {
  return plainCommand(name, description, examples)
    .addOption(help.repositoryOption())
    .option('--by <name>', 'who does it, for the history (default: your account on this machine)')
    .option('--why <text>', 'the reason, for the history');
}

changeCommand('tag', 'note a description, tags and metrics of a model or a version', help.TAG_EXAMPLES)
  .argument('<model>', 'name or name/version')
  .argument('[tags...]', 'key=value')
  .option('--description <text>', 'what it is')
  .option('--metric <name=number>', 'a measured quality of a version; can be repeated', collect)
  .option('--remove <key>', 'a tag that is removed; can be repeated', collect)
  .action(async (place, tags, options) =>
    (await import('./commands/release.ts')).tag(place, tags, options, terminal),
  );

changeCommand('alias', 'let a name such as champion stand for a version', help.ALIAS_EXAMPLES)
  .argument('<model>', 'name')
  .argument('[alias]', 'the name (default: list them)')
  .argument('[version]', 'a version, or another alias')
  .option('--remove', 'remove the alias')
  .action(async (model, name, version, options) =>
    (await import('./commands/release.ts')).alias(model, name, version, options, terminal),
  );

changeCommand('split', 'give shares of the requests to versions and aliases', help.SPLIT_EXAMPLES)
  .argument('<model>', 'name')
  .argument('[shares...]', 'version or alias=percent; 0 takes it out')
  .option(
    '--shadow <version=percent...>',
    'also runs this share of the requests, without a say in the answers',
  )
  .option('--rule <target=condition>', 'for requests that meet a condition; all rules are replaced', collect)
  .option(
    '--key <key>',
    'requests with the same header:<name>, cookie:<name> or field:<name> stay together; or none',
  )
  .option('--clear', 'forget the split before')
  .action(async (model, shares, options) =>
    (await import('./commands/release.ts')).split(model, shares, options, terminal),
  );

changeCommand('promote', 'make a version live, once it answers and is not worse', help.PROMOTE_EXAMPLES)
  .argument('<model>', 'name')
  .argument('<version>', 'a version or an alias')
  .option('--limit <metric=number>', 'how much worse a metric may be (default: 0); can be repeated', collect)
  .addOption(new Option('--warm <seconds>', 'how long the version before stays in memory').default('600'))
  .option('--needs-approval', 'only propose it; another person promotes it')
  .option('--dry-run', 'only say whether it would be promoted')
  .option('--force', 'promote a version that does not answer or is worse')
  .action(async (model, version, options) =>
    (await import('./commands/promote.ts')).promote(model, version, options, terminal),
  );

changeCommand('archive', 'take a version out of use, and keep its files', help.ARCHIVE_EXAMPLES)
  .argument('<model>', 'name')
  .argument('<version>', 'a version that nothing uses')
  .option('--undo', 'serve it again')
  .action(async (model, version, options) =>
    (await import('./commands/release.ts')).archive(model, version, options, terminal),
  );

changeCommand('delete', 'remove the files of a version that nothing uses', help.DELETE_EXAMPLES)
  .argument('<model>', 'name')
  .argument('<version>', 'the version')
  .action(async (model, version, options) =>
    (await import('./commands/release.ts')).deleteVersion(model, version, options, terminal),
  );

changeCommand('rollback', 'serve again what an earlier revision served', help.ROLLBACK_EXAMPLES)
  .argument('<model>', 'name')
  .option('--to <revision>', 'number in the history (default: the one before)')
  .action(async (model, options) =>
    (await import('./commands/release.ts')).rollback(model, options, terminal),
  );

plainCommand('history', 'show who changed what and why', help.HISTORY_EXAMPLES)
  .argument('<model>', 'name')
  .addOption(help.repositoryOption())
  .option('--verify', 'look for edited, missing and cut-off entries')
  .action(async (model, options) =>
    (await import('./commands/registry.ts')).history(model, options, terminal),
  );

plainCommand('diff', 'compare the graph, config, metrics and answers of two versions', help.DIFF_EXAMPLES)
  .argument('<model>', 'name')
  .argument('<a>', 'a version')
  .argument('<b>', 'the other version')
  .addOption(help.repositoryOption())
  .action(async (model, a, b, options) =>
    (await import('./commands/diff.ts')).diff(model, a, b, options, terminal),
  );

plainCommand('card', 'print a model card in Markdown', help.CARD_EXAMPLES)
  .argument('<model>', 'name (of the live version), or name/version')
  .addOption(help.repositoryOption())
  .action(async (place, options) => (await import('./commands/card.ts')).card(place, options, terminal));

plainCommand('index', 'read the folders of a repository again', help.INDEX_EXAMPLES)
  .addOption(help.repositoryOption())
  .action(async (options) => (await import('./commands/registry.ts')).index(options, terminal));

command('compare', 'run two models on the same rows', help.COMPARE_EXAMPLES)
  .argument('<a>', help.MODEL)
  .argument('<b>', 'the other model')
  .requiredOption('-d, --data <input>', help.ROWS)
  .addOption(help.repositoryOption())
  .addOption(new Option('-n, --rows <number>', 'most rows to compare').default('1000'))
  .addOption(help.headerOption())
  .addOption(help.delimiterOption())
  .action(async (a, b, options) => (await import('./commands/compare.ts')).compare(a, b, options, terminal));

command(
  'types',
  'write what models take and give as TypeScript, for programs that open them',
  help.TYPES_EXAMPLES,
)
  .addOption(help.repositoryOption())
  .addOption(new Option('-o, --output <file>', 'what is written').default('ternion.models.d.ts'))
  .action(async (options) => (await import('./commands/types.ts')).types(options, terminal));

command('export-helper', 'copy the helper that exports models from Python', help.EXPORT_HELPER_EXAMPLES)
  .argument('[file]', 'where to', 'ternion_export.py')
  .option('-f, --force', 'replace an existing file')
  .action(async (file, options) =>
    (await import('./commands/export-helper.ts')).exportHelper(file, options, terminal),
  );

plainCommand('init', 'start a project: an example model, own code, a test, a workflow', help.INIT_EXAMPLES)
  .argument('<folder>', 'a new or empty folder; . for this one')
  .option('--clouds <names>', 'where it will be deployed: aws, gcp, azure, with commas between them')
  .action(async (folder, options) => (await import('./commands/init.ts')).init(folder, options, terminal));

command('dev', 'serve, and start again when a model or own code changes', help.DEV_EXAMPLES, false)
  .addOption(help.repositoryOption())
  .addOption(help.portOption())
  .addOption(help.hostOption())
  .action(async (options) => (await import('./commands/dev.ts')).dev(options, terminal));

command(
  'build',
  'build what a cloud runs, with the models and own code of this folder',
  help.BUILD_EXAMPLES,
  false,
)
  .argument('<target...>', help.TARGETS)
  .addOption(help.modelsOption())
  .addOption(help.outputOption())
  .addOption(help.checkOption())
  .action(async (targets, options) =>
    (await import('./commands/build.ts')).build(targets, options, terminal),
  );

command(
  'package',
  'build for Google Cloud or Azure, and print or run the command that deploys it',
  help.PACKAGE_EXAMPLES,
  false,
)
  .argument('<cloud>', 'gcp or azure')
  .addOption(help.modelsOption())
  .addOption(help.outputOption())
  .addOption(help.checkOption())
  .option('--deploy', 'run the command')
  .addOption(new Option('--name <name>', 'of the function').default('ternion'))
  .addOption(new Option('--region <region>', 'on Google Cloud').default('europe-west1'))
  .addOption(new Option('--resource-group <name>', 'on Azure').default('ternion'))
  .addOption(new Option('--memory <size>', 'on Google Cloud').default('2Gi'))
  .option('--server', "on Google Cloud: a service with Ternion's own server instead of a function")
  .action(async (cloud, options) =>
    (await import('./commands/package.ts')).makeUpload(cloud, options, terminal),
  );

for (const name of ['synth', 'deploy'] as const) {
  command(name, help.STACK_PURPOSES[name], help.STACK_EXAMPLES[name], false)
    .argument('[aws]', 'the cloud')
    .argument('[options...]', '--models <folder>, -c <setting>=<value>, and options of CDK')
    .addOption(help.checkOption())
    .allowUnknownOption()
    .action(async (_cloud, _options, options, { args }) =>
      (await import('./commands/stack.ts')).runStack(name, args, options, terminal),
    );
}

command('doctor', 'say what this machine and this project lack', help.DOCTOR_EXAMPLES, false)
  .addOption(help.repositoryOption())
  .action(async (options) => (await import('./commands/doctor.ts')).doctor(options, terminal));

command('bench', 'measure how fast a model or a server answers', help.BENCH_EXAMPLES)
  .argument('<target>', `an http:// or https:// URL, or a model: ${help.MODEL}`)
  .option('-d, --data <data>', 'the request: JSON, a text, a file, an image, or - (default: an example)')
  .addOption(new Option('-c, --connections <number>', 'requests at the same time').default('1'))
  .addOption(new Option('-t, --duration <seconds>', 'how long to measure').default('10'))
  .addOption(help.repositoryOption())
  .action(async (target, options) => (await import('./commands/bench.ts')).bench(target, options, terminal));

plainCommand('top', 'show what a server does, from its metrics', help.TOP_EXAMPLES)
  .argument('[url]', 'of the server', 'http://localhost:8080')
  .addOption(new Option('-i, --interval <seconds>', 'between two readings').default('2'))
  .option('--once', 'print one picture and end')
  .action(async (url, options) => (await import('./commands/top.ts')).top(url, options, terminal));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = fail(error, terminal);
}

function fail(error: unknown, { failure }: Console): number {
  if (!(error instanceof CommanderError)) {
    const { text, exitCode } = describeFailure(error);
    failure(text, true);
    return exitCode;
  }
  // Help and version are not failures.
  if (error.exitCode === 0) return 0;
  // Commander has printed its message.
  failure(
    error.code === 'commander.help'
      ? 'The command is missing or unknown.'
      : error.message.replace(/^error: /, ''),
    false,
  );
  return 2;
}
