import { describe, expect, it } from 'vitest';
import { isJsonType, mediaTypeOf, typeParameter } from '../../../shared/http/media-type.ts';

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
  it('takes JSON and formats that are written in JSON', () => {
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

describe('typeParameter', () => {
  it.each([
    ['text/csv; charset=UTF-8', 'charset', 'utf-8'],
    ['text/csv;label_size=0;header="Present"', 'header', 'present'],
    ['text/csv; Label_Size = 2', 'label_size', '2'],
    ['text/csv; x-header=present', 'header', undefined],
    ['header=present', 'header', undefined],
    ['text/csv', 'header', undefined],
  ])('of %j, %s, is %j', (header, name, value) => {
    expect(typeParameter(new Headers({ 'content-type': header }), name)).toBe(value);
  });
});
