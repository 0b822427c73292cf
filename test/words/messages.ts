// Writes docs/messages.md, the catalogue of all sentences that the command and the servers can say: node test/words/messages.ts
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

const PROJECT = join(import.meta.dirname, '../..');
const PAGE = join(PROJECT, 'docs/messages.md');

/** What people read of each part, in the order of the page. */
const PARTS: readonly (readonly [title: string, files: string])[] = [
  ['The command', 'functions/cli/**/*.ts'],
  ['Hosts', 'functions/*.ts'],
  ['Hosts of each cloud', 'functions/{aws,azure,container,gcp,local,trial}/**/*.ts'],
  ['Packages and the AWS stack', 'infra/**/*.ts'],
  ['Settings, limits and bodies', 'shared/{*,http/**/*,json/**/*}.ts'],
  ['Models', 'shared/{models,onnx,runtime,stores}/**/*.ts'],
  ['Inputs', 'shared/{values,tensor,processing}/**/*.ts'],
  ['Runs', 'shared/{inference,answers,monitoring}/**/*.ts'],
  ['Protocols', 'shared/protocols/**/*.ts'],
  ['OpenAPI', 'shared/openapi/**/*.ts'],
  ['The playground', 'shared/{playground,pages,docs-page}/**/*.ts'],
];

/** A node of a syntax tree, as far as strings are looked for in it. */
interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [member: string]: unknown;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** The sentences of a file, in their order; what a value stands for is `{…}`. */
export function sentencesOf(code: string): readonly string[] {
  const found: string[] = [];
  const visit = (node: SyntaxNode): void => {
    if (node.type === 'ImportDeclaration' || node.type.startsWith('TS')) return;
    const text = textOf(node, code);
    if (text !== undefined) {
      if (isSentence(text)) found.push(text);
      // Values of a sentence can be sentences.
      if (node.type === 'Literal') return;
    }
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child);
    }
  };
  const tree: unknown = parseAst(code, { lang: 'ts' });
  if (isNode(tree)) visit(tree);
  return [...new Set(found)];
}

/** The text of a string or template; undefined for other nodes. */
function textOf(node: SyntaxNode, code: string): string | undefined {
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : undefined;
  if (node.type !== 'TemplateLiteral') return undefined;
  const { quasis, expressions } = node;
  if (!Array.isArray(quasis) || !Array.isArray(expressions)) return undefined;
  return quasis
    .map((part: { value: { cooked: string } }, index) => {
      const expression: unknown = expressions[index];
      return part.value.cooked + (isNode(expression) ? `{${nameOf(expression, code)}}` : '');
    })
    .join('');
}

/** What a value is called: the last name of its expression. */
function nameOf({ start, end }: SyntaxNode, code: string): string {
  const names = code.slice(start, end).match(/[A-Za-z_]\w*/g) ?? [];
  const own = names.filter(
    (name) => !/^(?:JSON|stringify|slice|join|map|String|length|describeJson)$/.test(name),
  );
  return own.at(-1) ?? '…';
}

/** Three words of which one begins in lower case: names, paths and patterns are not read by people, and neither is code. */
function isSentence(text: string): boolean {
  const words = text.replaceAll(/\{[^}]*\}/g, ' x ').match(/(?<![\w/.-])[A-Za-z][a-z']+(?![\w/(=-])/g) ?? [];
  return words.length >= 3 && words.some((word) => /^[a-z]{2}/.test(word)) && !text.startsWith('import ');
}

/** The page as the code has it now. */
export function writeCatalogue(): string {
  const parts = PARTS.map(([title, files]) => {
    const found = globSync(files, { cwd: PROJECT })
      .map((file) => file.replaceAll('\\', '/'))
      .filter((file) => !/\.test\.|\/simd\//.test(file))
      .sort()
      .map((file) => ({ file, sentences: sentencesOf(readFileSync(join(PROJECT, file), 'utf8')) }))
      .filter(({ sentences }) => sentences.length > 0)
      .map(({ file, sentences }) => `\`${file}\`\n\n${sentences.map(toItem).join('\n')}\n`);
    return `## ${title}\n\n${found.join('\n')}`;
  });
  return `${HEAD}\n${parts.join('\n')}`;
}

const HEAD = `# All sentences

What the command, the servers and their pages can say, as it stands in the code; \`{name}\` is a value. The page is for reading
them all in one go: they are to be short, say who does what, and use the same word each time
([how we write](../CONTRIBUTING.md#plain-english)). \`npm run messages\` writes it, and a test compares it with the code.
`;

function toItem(sentence: string): string {
  const lines = sentence.trim().split('\n');
  return lines.length === 1
    ? `- \`\` ${lines[0]} \`\``
    : `- \n\n  \`\`\`text\n${lines.map((line) => `  ${line}`).join('\n')}\n  \`\`\``;
}

if (import.meta.main) writeFileSync(PAGE, writeCatalogue());
