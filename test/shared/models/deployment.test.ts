import { describe, expect, it } from 'vitest';
import { parseDeployment } from '../../../shared/models/deployment.ts';

describe('parseDeployment', () => {
  it('reads aliases and ignores members of later versions', async () => {
    expect(await parseDeployment('\ufeff{"aliases": {"champion": "2"}, "traffic": {}}')).toEqual({
      aliases: { champion: '2' },
      traffic: {},
    });
    expect(await parseDeployment('{}')).toEqual({ aliases: {} });
  });

  it.each([
    ['{', 'its deployment.json is not valid JSON'],
    ['[]', 'its deployment.json is not valid (the file: '],
    ['{"aliases": {"champion": 2}}', 'its deployment.json is not valid (aliases.champion: '],
    ['{"aliases": {"": "2"}}', 'its deployment.json is not valid (aliases.: '],
  ])('refuses %s', async (text, message) => {
    await expect(parseDeployment(text)).rejects.toThrow(message);
  });
});
