import { describe, expect, it } from 'vitest';
import { isJsonType, mediaTypeOf } from '../../../shared/http/media-type.ts';

describe('mediaTypeOf', () => {
  it.each([
    ['application/json', 'application/json'],
    ['Application/JSON; charset=UTF-8', 'application/json'],
    ['multipart/form-data;boundary=x', 'multipart/form-data'],
    [' image/png ;a=b', 'image/png'],
    ['', ''],
  ])('of %j is %j', (header, type) => {
    expect(mediaTypeOf(new Headers({ 'content-type': header }))).toBe(type);
  });

  it('is empty without the header', () => {
    expect(mediaTypeOf(new Headers())).toBe('');
  });
});

describe('isJsonType', () => {
  it('takes JSON and what is written in it', () => {
    const types = [
      'application/json',
      'text/json',
      'application/vnd.api+json',
      'application/jsonl',
      'json',
      '',
    ];
    expect(types.map(isJsonType)).toEqual([true, true, true, false, false, false]);
  });
});
