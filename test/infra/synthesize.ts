import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { checkCompliance } from '../../infra/check-compliance.ts';
import { InferenceStack, type InferenceStackProps } from '../../infra/inference-stack.ts';
import { TernionSynthesizer } from '../../infra/stack-synthesizer.ts';

/** Temporary folders for a built function, a model repository and CDK's output. */
export interface Workspace extends Disposable {
  readonly codeFolder: string;
  readonly modelsFolder: string;
  readonly outputFolder: string;
}

/** A repository like that of a user: versions, and beside them files that must never reach the bucket. */
const MODEL_FILES = [
  'training.py',
  'README.md',
  'iris/train.py',
  'iris/deployment.json',
  'iris/__pycache__/train.cpython-312.pyc',
  'iris/1/model.onnx',
  'iris/1/requirements.txt',
  'iris/2/model.onnx',
  'iris/2/model.json',
];

export function createWorkspace(): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'ternion-infra-'));
  write(folder, ['code/index.mjs', 'code/native/library.node', 'code/models/iris/1/model.onnx']);
  write(join(folder, 'models'), MODEL_FILES);
  return {
    codeFolder: join(folder, 'code'),
    modelsFolder: join(folder, 'models'),
    outputFolder: join(folder, 'cdk.out'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

interface StackOptions extends Partial<InferenceStackProps> {
  readonly copiesModels?: boolean;
  /** The flags of CDK; by default those of this project. */
  readonly context?: Readonly<Record<string, unknown>>;
}

/** The stack in an app with the feature flags of a deployment, checked by cdk-nag as a deployment is. */
export function createStack(
  workspace: Workspace,
  { copiesModels = true, context = cdkJson.context, ...props }: StackOptions = {},
): InferenceStack {
  const { codeFolder, modelsFolder, outputFolder } = workspace;
  const app = new App({ context, outdir: mkdtempSync(outputFolder), autoSynth: false });
  checkCompliance(app);
  const synthesizer = new TernionSynthesizer();
  const models = copiesModels ? { modelsFolder } : {};
  return new InferenceStack(app, 'Ternion', { synthesizer, codeFolder, ...models, ...props });
}

const resourceSchema = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
  DependsOn: z.array(z.string()).default([]),
});
const templateSchema = z.object({
  Resources: z.record(z.string(), resourceSchema),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })),
});

export type Resource = z.infer<typeof resourceSchema>;
export interface SynthesizedTemplate extends z.infer<typeof templateSchema> {
  /** The resources of one type. */
  ofType(type: string): readonly Resource[];
  /** The only resource of a type that has these properties. */
  only(type: string, properties?: Readonly<Record<string, unknown>>): Resource;
  /** The resource that a `Ref` or `Fn::GetAtt` names. */
  follow(reference: unknown): Resource;
}

export function synthesize(stack: InferenceStack): SynthesizedTemplate {
  const template = templateSchema.parse(Template.fromStack(stack).toJSON());
  const ofType = (type: string) => Object.values(template.Resources).filter(({ Type }) => Type === type);
  return {
    ...template,
    ofType,
    only(type, properties = {}) {
      const found = ofType(type).filter((resource) =>
        Object.entries(properties).every(([name, value]) => resource.Properties[name] === value),
      );
      const [first] = found;
      if (!first || found.length > 1) throw new Error(`${found.length} resources of type ${type}, not one.`);
      return first;
    },
    follow(reference) {
      const id = logicalId(reference);
      const resource = template.Resources[id];
      if (!resource) throw new Error(`No resource has the id ${id}.`);
      return resource;
    },
  };
}

const referenceSchema = z.union([
  z.object({ Ref: z.string() }).transform(({ Ref }) => Ref),
  z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).transform((value) => value['Fn::GetAtt'][0]),
]);

function logicalId(reference: unknown): string {
  return referenceSchema.parse(reference);
}

function write(folder: string, files: readonly string[]): void {
  for (const file of files) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, file);
  }
}
