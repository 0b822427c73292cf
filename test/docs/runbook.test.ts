import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { toAnchor } from '../../docs/site/markdown.ts';
import { ALERTS } from '../../infra/build/monitoring/alerts.ts';
import { parseQuery } from '../infra/build/promql.ts';
import { createStack, createWorkspace, synthesize } from '../infra/synthesize.ts';
import { readBlocks } from '../support/documented-commands.ts';
import { PROJECT } from '../support/project.ts';
import { useDocumentedServer } from '../support/use-documented-server.ts';

const page = readFileSync(join(PROJECT, 'docs/runbook.md'), 'utf8');

/** The sections of level 3 below a heading of level 2. */
function sectionsBelow(heading: string): readonly { readonly name: string; readonly text: string }[] {
  const part = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  return part
    .split(/^### /m)
    .slice(1)
    .map((text) => ({ name: text.split('\n')[0] ?? '', text: text.slice(text.indexOf('\n')).trim() }));
}

describe('the runbook', () => {
  const alerts = sectionsBelow('Alerts of Prometheus');
  const alarmSections = sectionsBelow('Alarms of CloudWatch');
  const workspace = createWorkspace();
  afterAll(() => workspace[Symbol.dispose]());

  it('has a section for each alert of Prometheus, and no others', () => {
    expect(alerts.map(({ name }) => name)).toEqual([...new Set(ALERTS.map(({ alert }) => alert))]);
  });

  it('has the sections that alerts link to', () => {
    const anchors = alerts.map(({ name }) => `docs/runbook.md#${toAnchor(name)}`);
    expect(anchors).toEqual(expect.arrayContaining(ALERTS.map(({ annotations }) => annotations.runbook_url)));
  });

  it('has a section for each alarm of the stack, and no others', () => {
    const stack = synthesize(createStack(workspace, { latencyObjectiveMs: 100 }));
    const alarms = stack.ofType('AWS::CloudWatch::Alarm');
    const linked = alarms.map(
      ({ Properties }) => String(Properties.AlarmDescription).split('docs/runbook.md#')[1],
    );
    expect(alarmSections.map(({ name }) => toAnchor(name))).toEqual(linked);
  });

  it('says something in each section', () => {
    expect([...alerts, ...alarmSections].filter(({ text }) => text.length < 100)).toEqual([]);
  });

  it.each(readBlocks(page, 'promql'))('asks Prometheus in its language: %s', (query) => {
    expect(parseQuery(query).selectors).not.toEqual([]);
  });
});

describe('the commands of the runbook', () => {
  const documented = useDocumentedServer();
  const [setting = '', ...commands] = readBlocks(page, 'sh');

  it('begin with the address of the server', () => {
    expect(setting).toBe('SERVER=http://localhost:8080');
    expect(commands.length).toBeGreaterThan(3);
  });

  it.each(commands.filter((command) => command.includes('$SERVER')))('get an answer: %s', async (command) => {
    const output = await documented.shell.run(`${setting}\n${command}`);
    expect(output).toMatch(
      /^(?:# HELP ternion_requests_total|ternion_|process_|http:.*, Ternion |\{|no error since the start$)/m,
    );
  });
});
