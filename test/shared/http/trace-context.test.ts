import { describe, expect, it } from 'vitest';
import { makeSpanId, readTraceContext, toTraceparent } from '../../../shared/http/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const ID = '26f60f6a-7c50-4a3e-902b-820248c0a289';

const read = (headers: Record<string, string>, requestId = ID) =>
  readTraceContext(new Headers(headers), requestId);

describe('the trace of a request', () => {
  it.each([
    ['01', true],
    ['00', false],
    ['03', true],
  ])('is that of a traceparent with the flags %s', (flags, isSampled) => {
    const headers = { traceparent: `00-${TRACE}-${SPAN}-${flags}`, tracestate: 'a=1,b=2' };
    expect(read(headers)).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, isSampled, state: 'a=1,b=2' });
  });

  it.each([
    ['at most 512 characters', 'a=1,'.repeat(128).slice(0, -1), 'a=1,'.repeat(128).slice(0, -1)],
    ['whole members of a longer one', 'a=1,'.repeat(200), 'a=1,'.repeat(128).slice(0, -1)],
    ['nothing of a longer member', `a=${'1'.repeat(600)},b=2`, undefined],
  ])('has of a tracestate %s', (_, tracestate, state) => {
    expect(read({ traceparent: `00-${TRACE}-${SPAN}-01`, tracestate }).state).toBe(state);
  });

  it('is read from a later version of it, whose further fields are not known', () => {
    expect(read({ traceparent: `cc-${TRACE}-${SPAN}-01-what-comes-later` }).traceId).toBe(TRACE);
  });

  it.each([
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-0g`,
    `${TRACE}-${SPAN}`,
    'x'.repeat(100_000),
    '',
  ])('is a new one for the traceparent %.60s', (traceparent) => {
    expect(read({ traceparent, tracestate: 'a=1' })).toMatchObject({
      traceId: ID.replaceAll('-', ''),
      parentSpanId: undefined,
      isSampled: undefined,
      state: undefined,
    });
  });

  it.each([
    ['Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1', '53995c3f42cd8ad8', true],
    ['Self=1-a-b;Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0', undefined, false],
    ['Sampled=?;Root=1-5759e988-bd862e3fe1be46a994272793', undefined, undefined],
  ])('is that of X-Ray: %s', (header, parentSpanId, isSampled) => {
    const traceId = '5759e988bd862e3fe1be46a994272793';
    expect(read({ 'x-amzn-trace-id': header })).toMatchObject({ traceId, parentSpanId, isSampled });
  });

  it.each([
    [`${TRACE}/67667974448284343;o=1`, '00f067aa0ba902b7', true],
    [`${TRACE.toUpperCase()}/0;o=0`, undefined, false],
    [TRACE, undefined, undefined],
    [`${TRACE}/18446744073709551615`, 'ffffffffffffffff', undefined],
  ])('is that of Google: %s', (header, parentSpanId, isSampled) => {
    expect(read({ 'x-cloud-trace-context': header })).toMatchObject({
      traceId: TRACE,
      parentSpanId,
      isSampled,
    });
  });

  it('is that of the traceparent if there are several', () => {
    const headers = {
      traceparent: `00-${TRACE}-${SPAN}-01`,
      'x-amzn-trace-id': 'Root=1-5759e988-bd862e3fe1be46a994272793',
      'x-cloud-trace-context': `${'a'.repeat(32)}/1`,
    };
    expect(read(headers).traceId).toBe(TRACE);
  });

  it.each(['client-42', '', `${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}`])(
    'is a random one if the id of the request is %j',
    (requestId) => {
      const [first, second] = [read({}, requestId), read({}, requestId)];
      expect(first.traceId).toMatch(/^(?!0{32})[\da-f]{32}$/);
      expect(second.traceId).not.toBe(first.traceId);
    },
  );

  it('has a span of its own for each request, which others get as their parent', () => {
    const context = read({ traceparent: `00-${TRACE}-${SPAN}-00` });
    expect(context.spanId).toMatch(/^(?!0{16})[\da-f]{16}$/);
    expect(context.spanId).not.toBe(SPAN);
    expect(toTraceparent(context)).toBe(`00-${TRACE}-${context.spanId}-00`);
    expect(toTraceparent(read({}))).toMatch(/-01$/);
  });
});

it('makes spans that differ', () => {
  expect(new Set(Array.from({ length: 10_000 }, makeSpanId)).size).toBe(10_000);
});
