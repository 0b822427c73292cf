import { describe, expect, it } from 'vitest';
import { chooseMediaType } from '../../../shared/http/accept.ts';

const OFFERED = ['application/json', 'application/jsonlines', 'text/csv'] as const;

describe('an Accept header', () => {
  it.each([
    [null, 'application/json'],
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['application/*', 'application/json'],
    ['text/*', 'text/csv'],
    ['text/csv', 'text/csv'],
    ['Text/CSV', 'text/csv'],
    ['text/csv; charset=utf-8', 'text/csv'],
    ['text/csv,application/json', 'text/csv'],
    ['application/json,text/csv', 'application/json'],
    ['application/json;q=0.5, text/csv', 'text/csv'],
    ['application/json;q=0.5, text/csv;q=0.4, */*;q=0.1', 'application/json'],
    ['*/*, text/csv;q=0.9', 'application/json'],
    ['*/*;q=0.1, text/csv', 'text/csv'],
    ['application/json;q=0, */*', 'application/jsonlines'],
    ['application/*;q=0, */*', 'text/csv'],
    ['text/html, application/xhtml+xml', undefined],
    ['text/html, */*;q=0.8', 'application/json'],
    ['application/json;q=0', undefined],
    ['application/json;q=high', 'application/json'],
    ['application/jsonlines-x', undefined],
  ])('%s takes %s', (accept, type) => {
    expect(chooseMediaType(accept, OFFERED)).toBe(type);
  });
});
