import { parser } from '@prometheus-io/lezer-promql';

type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

/** What a query reads. */
export interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

export interface ParsedQuery {
  readonly selectors: readonly Selector[];
  /** Labels that it groups and joins by. */
  readonly groupings: readonly string[];
}

/** What Grafana puts in before it asks Prometheus. */
export function withValues(query: string, rateInterval = '5m'): string {
  return query
    .replaceAll('$__rate_interval', rateInterval)
    .replaceAll(/^\$price\b/g, '0.1')
    .replaceAll(/"\$\w+"/g, '".*"');
}

/** @throws Error if it is not PromQL */
export function parseQuery(query: string): ParsedQuery {
  const text = withValues(query);
  const tree = parser.parse(text);
  const selectors: Selector[] = [];
  const groupings: string[] = [];
  tree.iterate({
    enter: ({ type, from, to, node }) => {
      if (type.isError)
        throw new Error(`${text} is not PromQL: ${JSON.stringify(text.slice(from, to + 20))}.`);
      if (type.name === 'VectorSelector') {
        const [metric = ''] = textsOf(node, 'Identifier', text);
        selectors.push({ metric, labels: textsOf(node, 'LabelName', text) });
      }
      if (type.name === 'GroupingLabels') groupings.push(...textsOf(node, 'LabelName', text));
    },
  });
  return { selectors, groupings };
}

/** The texts of all nodes of a type below one. */
function textsOf(node: SyntaxNode, type: string, text: string): readonly string[] {
  const found: string[] = [];
  node.cursor().iterate((each) => {
    if (each.name === type) found.push(text.slice(each.from, each.to));
  });
  return found;
}
