import {
  approve,
  liveVersionOf,
  promote as promoteVersion,
  propose,
  versionNamed,
  WARM_SECONDS,
} from '../../../shared/releases/changes.ts';
import { CommandError, type Console } from '../console.ts';
import { type ChangeOptions, changeModel, nameOfUser, openModel } from '../release/change-model.ts';
import { checkAnswers, checkMetrics, type Gate } from '../release/check-gates.ts';
import { metricsOf } from '../release/metrics-of.ts';
import { readWhole } from '../words.ts';
import { show } from './release.ts';

export interface PromoteOptions extends ChangeOptions {
  readonly limit?: readonly string[];
  readonly warm?: string;
  readonly needsApproval?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

/**
 * `ternion promote`: makes a version live once it answers, and its metrics are not worse than those of the live one. With
 * an approval, one person proposes and another one promotes.
 */
export async function promote(
  model: string,
  target: string,
  options: PromoteOptions,
  output: Console,
): Promise<void> {
  const { repository, force = false, by = nameOfUser(), why = '' } = options;
  const limits = new Map((options.limit ?? []).map(readLimit));
  const warmSeconds = readWhole(options.warm ?? String(WARM_SECONDS), '--warm', 0, 86_400);
  const opened = await openModel(repository, model, output);
  const { known, current, store } = opened;
  const version = versionNamed(current, known, target);
  if (version === undefined)
    throw new CommandError(
      `Model "${model}" has no version or alias ${JSON.stringify(target.slice(0, 100))}; its versions are: ${known.versions.join(', ')}.`,
    );
  const live = liveVersionOf(current, known);
  const champion = live === undefined || live === version ? {} : await metricsOf(store, model, live, current);
  const gates = [
    await checkAnswers(repository, model, version),
    checkMetrics(champion, await metricsOf(store, model, version, current), limits),
  ];
  const failed = gates.filter(({ passed }) => !passed);
  if (options.dryRun === true) {
    const change = promoteVersion(approve(current, known, target, by), known, target, warmSeconds);
    output.result(
      { model, version, live: live ?? null, would_promote: failed.length === 0, gates: gates.map(encode) },
      () =>
        [
          ...gates.map(describe),
          `${model}/${version} ${failed.length === 0 || force ? 'would be' : 'would not be'} live instead of ${live ?? 'none'}${change.serving?.warm ? `, which stays in memory for ${warmSeconds} s` : ''}`,
        ].join('\n'),
    );
    if (failed.length > 0 && !force) process.exitCode = 1;
    return;
  }
  if (failed.length > 0 && !force) {
    throw new CommandError(
      `${model}/${version} is not promoted: ${failed.map(({ detail }) => detail).join('; ')}.\n  --force promotes it all the same.`,
    );
  }
  for (const gate of gates) output.note(describe(gate));
  const words = `${target}${force ? ' --force' : ''}`;
  if (options.needsApproval === true) {
    const release = await changeModel(
      opened,
      `propose ${words}`,
      options,
      (state) => propose(state, known, target, by, why),
      current.revision,
    );
    output.note(`another person than ${by} approves it with: ternion promote ${model} ${version}`);
    show(opened, release, output);
    return;
  }
  // The gates were checked against this revision.
  const release = await changeModel(
    opened,
    `promote ${words}`,
    options,
    (state) => {
      const approved = approve(state, known, target, by);
      return { card: approved.card, ...promoteVersion(approved, known, target, warmSeconds) };
    },
    current.revision,
  );
  show(opened, release, output);
}

/** `accuracy=0.01` */
function readLimit(text: string): [string, number] {
  const [, name, value] = /^([^=]+)=(\d+(?:\.\d+)?(?:e-?\d+)?)$/i.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new CommandError(
      `--limit ${JSON.stringify(text)} must be the name of a metric, "=" and how much worse it may be, such as accuracy=0.01.`,
      2,
    );
  return [name, Number(value)];
}

function describe({ passed, detail }: Gate): string {
  return `${passed ? 'passed' : 'failed'}: ${detail}`;
}

function encode({ gate, passed, detail }: Gate) {
  return { gate, passed, detail };
}
