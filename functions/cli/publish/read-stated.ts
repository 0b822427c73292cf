import { NAME_PATTERN } from '../../../shared/config.ts';
import { MANIFEST_FILE } from '../../../shared/models/file-manifest.ts';
import { SETTINGS_FILE } from '../../../shared/models/formats/format-folder.ts';
import { readInferenceService } from '../../../shared/models/formats/kserve.ts';
import { readModelSettings } from '../../../shared/models/formats/model-settings.ts';
import type { FoundModel } from '../find-model.ts';

/** How clients of the previous server ask for a model, according to the files of that server. */
export interface Stated {
  /** The name in their URLs; undefined if no file has a usable one. */
  readonly name: string | undefined;
  /** What the publisher should know about it. */
  readonly notes: readonly string[];
}

/**
 * Reads the name and the version in the settings of MLServer and the `InferenceService` of KServe. A model that
 * `ternion add` published has the name that it was given.
 *
 * @param given the name and version that the publisher gives, which take precedence
 * @throws ModelError when a file is not valid
 */
export async function readStated(
  { app, reference }: FoundModel,
  given: { readonly name?: string; readonly version?: string },
): Promise<Stated> {
  const folder = await app.inference.repository.open(reference);
  try {
    if (folder.files.includes(MANIFEST_FILE)) return { name: undefined, notes: [] };
    const settings = await readModelSettings(folder);
    const service = await readInferenceService(folder);
    const names = [
      { file: SETTINGS_FILE, name: settings?.name ?? '' },
      { file: service?.file ?? '', name: service?.name ?? '' },
    ].filter(({ name }) => NAME_PATTERN.test(name));
    const [first, second] = names;
    const isUnnamed = given.name === undefined;
    const isOther = isUnnamed && first !== undefined && first.name !== reference.name;
    const version = given.version === undefined ? settings?.parameters?.version : undefined;
    return {
      name: first?.name,
      notes: [
        ...(isOther
          ? [`it is called ${first.name}, as in its ${first.file}, because its clients ask for that name`]
          : []),
        ...(isUnnamed && first && second && first.name !== second.name
          ? [`its ${first.file} calls it ${first.name}, its ${second.file} ${second.name}`]
          : []),
        ...(version ? [`its ${SETTINGS_FILE} has the version ${version}, which --version keeps`] : []),
        ...(service?.protocolVersion?.startsWith('grpc')
          ? [`its ${service.file} has the protocolVersion ${service.protocolVersion}; there is no gRPC here`]
          : []),
      ],
    };
  } finally {
    await folder.release();
  }
}
