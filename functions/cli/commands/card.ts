import { nameAxes } from '../../../shared/inference/batch-axes.ts';
import { LINEAGE_FILE, parseLineage } from '../../../shared/models/lineage.ts';
import { liveVersionOf, versionNamed } from '../../../shared/releases/changes.ts';
import { CommandError, type Console } from '../console.ts';
import { findPublished, look } from '../find-model.ts';
import { openModel } from '../release/change-model.ts';
import { metricsOf } from '../release/metrics-of.ts';
import { formatBytes } from '../words.ts';

export interface CardOptions {
  readonly repository: string;
}

/** `ternion card`: a model card in Markdown, from what the repository knows. */
export async function card(place: string, { repository }: CardOptions, output: Console): Promise<void> {
  const [, model = '', asked] = /^([^/]+)(?:\/(.+))?$/.exec(place) ?? [];
  const { known, current, log, store } = await openModel(repository, model, output);
  const version = asked === undefined ? liveVersionOf(current, known) : versionNamed(current, known, asked);
  if (version === undefined)
    throw new CommandError(`Model ${JSON.stringify(model)} has no version ${JSON.stringify(asked ?? '')}.`);
  const about = current.card.versions[version];
  const found = await findPublished(repository, model, version);
  try {
    const facts = await look(found, ({ contract, session, sizeBytes, config }) => ({
      kind: contract.kind,
      gives: contract.gives,
      task: config.task,
      description: config.description,
      sizeBytes,
      inputs: session.inputs.map((spec) => `${spec.name}: ${spec.datatype} [${nameAxes(spec).join(', ')}]`),
      outputs: session.outputs.map((spec) => `${spec.name}: ${spec.datatype} [${nameAxes(spec).join(', ')}]`),
    }));
    const folder = await found.app.inference.repository.open(found.reference);
    const lineage = await folder.read(LINEAGE_FILE).finally(folder.release);
    const origin = lineage === undefined ? {} : flatten(await parseLineage(lineage));
    const history = await log.history(model);
    const aliases = Object.entries(current.serving.aliases).filter(([, each]) => each === version);
    const tags = { ...current.card.tags, ...about?.tags };
    const text = [
      `# ${current.card.name ?? model}, version ${version}`,
      about?.description ?? facts.description ?? current.card.description,
      section('Use', [
        `task: ${facts.task}`,
        `takes: ${facts.kind}`,
        `gives: ${facts.gives}`,
        `size: ${formatBytes(facts.sizeBytes)}`,
        `live: ${liveVersionOf(current, known) === version ? 'yes' : 'no'}`,
        ...(aliases.length > 0 ? [`aliases: ${aliases.map(([alias]) => alias).join(', ')}`] : []),
      ]),
      section('Inputs', facts.inputs),
      section('Outputs', facts.outputs),
      section('Metrics', pairs(await metricsOf(store, model, version, current))),
      section('Tags', pairs(tags)),
      section('Origin', pairs(origin)),
      section(
        'Releases',
        history.map(({ revision, at, by, action }) => `${revision}: ${action}, by ${by}, ${at}`),
      ),
    ]
      .filter((part) => part !== undefined)
      .join('\n\n');
    output.result({ model, version, card: text }, () => text);
  } finally {
    await found.app.close();
  }
}

/** Undefined without any line. What people wrote does not become Markdown of another kind. */
function section(title: string, lines: readonly string[]): string | undefined {
  if (lines.length === 0) return undefined;
  return `## ${title}\n\n${lines.map((line) => `- ${line.replaceAll(/\s+/g, ' ')}`).join('\n')}`;
}

function pairs(values: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(values).map(([key, value]) => `${key}: ${String(value)}`);
}

/** `git.commit`: the members of objects by the names on the way to them. */
function flatten(value: object, prefix = ''): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]: [string, unknown]) =>
      typeof member === 'object' && member !== null
        ? Object.entries(flatten(member, `${prefix}${key}.`))
        : [[`${prefix}${key}`, member]],
    ),
  );
}
