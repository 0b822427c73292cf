import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Header, type HeaderData } from 'tar';
import { describe, expect, it } from 'vitest';
import { type ArchiveLimits, unpackArchive } from '../../../functions/cli/unpack-archive.ts';
import { readFormatFile } from '../../support/format-folders.ts';
import { runCommand, temporaryFolder } from '../../support/run-command.ts';

const GRAPH = readFormatFile('tabular/sklearn-matrix-names/model.onnx');
const CODE = 'def model_fn(folder): ...\n';

interface Entry extends HeaderData {
  readonly path: string;
  readonly data?: string | Uint8Array;
}

/** An archive that may also hold what tar itself would not pack. */
function pack(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ data = '', ...rest }) => {
    const bytes = Buffer.from(data);
    const header = new Header({ type: 'File', mode: 0o644, size: bytes.length, mtime: new Date(0), ...rest });
    header.encode();
    return [header.block ?? Buffer.alloc(0), bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** The content of a header with longer values. Source: pax, "pax Extended Header". */
function pax(...values: readonly string[]): string {
  return values
    .map((value) => {
      const length = Buffer.byteLength(value) + 2;
      const digits = String(length + String(length + 2).length).length;
      return `${length + digits} ${value}\n`;
    })
    .join('');
}

async function write(entries: readonly Entry[] | Buffer, name = 'model.tar.gz'): Promise<string> {
  const folder = join(await temporaryFolder(), 'flowers');
  await mkdir(folder);
  const path = join(folder, name);
  await writeFile(path, Buffer.isBuffer(entries) ? entries : pack(entries));
  return path;
}

describe('a SageMaker archive', () => {
  it.each<[string, readonly Entry[]]>([
    [
      'at its root',
      [
        { path: 'model.onnx', data: GRAPH },
        { path: 'notes.txt', data: 'x' },
      ],
    ],
    [
      'as tar -C packs it',
      [
        { path: './', type: 'Directory' },
        { path: './model.onnx', data: GRAPH },
      ],
    ],
    [
      'in a subfolder',
      [
        { path: 'export/', type: 'Directory' },
        { path: 'export/net.onnx', data: GRAPH },
      ],
    ],
    [
      'deeper, beside other folders',
      [
        { path: 'a/b/model.onnx', data: GRAPH },
        { path: 'a/logs/x.log', data: 'x' },
      ],
    ],
  ])('is published with the graph %s', async (_, entries) => {
    const path = await write(entries);
    const repository = await temporaryFolder();
    const { code, stdout, stderr } = await runCommand(['add', path, '-r', repository, '--json']);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ model: 'flowers', version: '1', warnings: expect.any(Array) });
    const answer = await runCommand(['predict', 'flowers', '[5.1,3.5,1.4,0.2]', '-r', repository]);
    expect(answer.stdout).toContain('setosa');
  });

  it('is published under its own name if it has one, and as a Triton repository', async () => {
    const repository = await temporaryFolder();
    const named = await write([{ path: 'model.onnx', data: GRAPH }], '2024-iris.tgz');
    expect((await runCommand(['add', named, '-r', repository])).stdout).toMatch(/^2024-iris\/1 is in /);
    const triton = await write([
      { path: 'resnet/config.pbtxt', data: 'max_batch_size: 8' },
      { path: 'resnet/1/model.onnx', data: GRAPH },
    ]);
    expect((await runCommand(['add', triton, '-r', repository])).stdout).toMatch(/^resnet\/1 is in /);
  });

  it('is inspected and tried like a folder, compressed or not', async () => {
    const packed = await write([{ path: 'model.onnx', data: GRAPH }]);
    const { stdout } = await runCommand(['inspect', packed, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ task: 'tabular-classification' });
    const { code, stdout: answer } = await runCommand(['predict', packed, '[5.1,3.5,1.4,0.2]']);
    expect([code, answer]).toEqual([0, expect.stringContaining('setosa')]);
  });

  it('with inference code is refused, and published without it if that is forced', async () => {
    const path = await write([
      { path: 'model.onnx', data: GRAPH },
      { path: 'code/inference.py', data: CODE },
      { path: 'code/requirements.txt', data: 'pandas' },
    ]);
    const repository = await temporaryFolder();
    const sentence =
      'Ternion does not run its inference code, so its answers are those of the graph alone: code/inference.py, code/requirements.txt';
    const refused = await runCommand(['add', path, '-r', repository]);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining(`cannot be published as it is: ${sentence}\n  --force publishes`),
    ]);
    expect(await readdir(repository)).toEqual([]);
    const forced = await runCommand(['add', path, '-r', repository, '--force']);
    expect([forced.code, forced.stdout]).toEqual([0, expect.stringContaining(`warning: ${sentence}`)]);
    expect((await readdir(join(repository, 'flowers/1'))).sort()).not.toContain('code');
    const inspected = await runCommand(['inspect', path]);
    expect([inspected.code, inspected.stdout]).toEqual([0, expect.stringContaining(sentence)]);
  });

  it('warns of code in a folder that was unpacked', async () => {
    const folder = join(await temporaryFolder(), 'flowers');
    await mkdir(join(folder, 'code'), { recursive: true });
    await writeFile(join(folder, 'model.onnx'), GRAPH);
    await writeFile(join(folder, 'code/inference.py'), CODE);
    const { code, stdout } = await runCommand(['add', folder, '-r', await temporaryFolder()]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining('warning: Ternion does not run its inference code'),
    ]);
  });

  it.each<[string, readonly Entry[], string]>([
    [
      'no graph',
      [
        { path: 'model.joblib', data: 'x' },
        { path: 'code/inference.py', data: CODE },
      ],
      'holds no model: none of *.onnx, onnx/*.onnx, MLmodel, MAR-INF/MANIFEST.json; its files are: code/inference.py, model.joblib. Its model.joblib is a Python pickle, not an ONNX model; export it first: python python/ternion_export.py ',
    ],
    ['no file of a model', [{ path: 'a/notes.txt', data: 'x' }], 'its files are: a/notes.txt.'],
    [
      'several models',
      [
        { path: 'a/model.onnx', data: GRAPH },
        { path: 'b/model.onnx', data: GRAPH },
      ],
      'holds several models: a, b; unpack it, and name the folder of one of them.',
    ],
  ])('is refused with %s', async (_, entries, message) => {
    const { code, stderr } = await runCommand(['add', await write(entries), '-r', await temporaryFolder()]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
  });
});

describe('what an archive unpacks to', () => {
  async function unpack(path: string, given?: ArchiveLimits) {
    const folder = join(await temporaryFolder(), 'm');
    return { folder, code: await unpackArchive(path, folder, 'model.tar.gz', given) };
  }
  const limits = { entries: 10, bytes: 10_000_000, ratio: 100 };

  it('is its files, with all their bytes and without code', async () => {
    const large = Buffer.alloc(3_000_000, 'abcdefg');
    const entries = [
      { path: 'onnx/model.onnx', data: GRAPH },
      { path: 'weights.bin', data: large },
      { path: 'code/a/b.py', data: CODE },
      { path: 'coder.txt', data: 'kept' },
    ];
    const { folder, code } = await unpack(await write(entries));
    expect(code).toEqual(['code/a/b.py']);
    expect((await readdir(folder, { recursive: true })).sort()).toEqual([
      'coder.txt',
      'onnx',
      'onnx/model.onnx',
      'weights.bin',
    ]);
    expect((await readFile(join(folder, 'weights.bin'))).equals(large)).toBe(true);
    expect((await readFile(join(folder, 'onnx/model.onnx'))).equals(GRAPH)).toBe(true);
  });

  it.each<[string, readonly Entry[], string]>([
    [
      'a path out of it',
      [{ path: '../evil.txt', data: 'x' }],
      'has the path "../evil.txt"; expected a path below its folder.',
    ],
    [
      'a path through it',
      [{ path: 'a/../../evil', data: 'x' }],
      'has the path "a/../../evil"; expected a path below its folder.',
    ],
    [
      'a path from the root',
      [{ path: '/tmp/evil', data: 'x' }],
      'has the path "/tmp/evil"; expected a path below its folder.',
    ],
    [
      'a Windows path',
      [{ path: 'C:\\evil', data: 'x' }],
      /has the path "C:.*expected a path below its folder/,
    ],
    [
      'a link out of it',
      [{ path: 'model.onnx', type: 'SymbolicLink', linkpath: '/etc/passwd' }],
      'has the link "model.onnx" to "/etc/passwd"; a model must not have links: pack it again with tar --dereference.',
    ],
    [
      'a hard link',
      [
        { path: 'a', data: 'x' },
        { path: 'b', type: 'Link', linkpath: 'a' },
      ],
      'has the link "b" to "a"; a model must not have links: pack it again with tar --hard-dereference.',
    ],
    [
      'a device',
      [{ path: 'disk', type: 'BlockDevice' }],
      'has "disk", which is neither a file nor a folder (BlockDevice); pack the archive again without it.',
    ],
    ['a pipe', [{ path: 'pipe', type: 'FIFO' }], 'has "pipe", which is neither a file nor a folder (FIFO)'],
    [
      'a part of a file',
      [{ path: 'w.bin', type: 'ContinuationFile', data: 'x' }],
      'has "w.bin", which is neither a file nor a folder (ContinuationFile)',
    ],
    [
      'a sparse file of GNU tar',
      [{ path: 'w.bin', type: 'SparseFile', data: 'x' }],
      'has the sparse file "w.bin", which Ternion does not unpack; pack it again without --sparse.',
    ],
    [
      'a sparse file in POSIX form',
      [
        { path: 'x', type: 'ExtendedHeader', data: pax('GNU.sparse.major=1', 'GNU.sparse.name=w.bin') },
        { path: 'GNUSparseFile.1/w.bin', data: 'x' },
      ],
      'has the sparse file "w.bin", which Ternion does not unpack',
    ],
    [
      'a header of two megabytes',
      [
        { path: 'x', type: 'ExtendedHeader', data: pax(`comment=${'a'.repeat(2_000_000)}`) },
        { path: 'model.onnx', data: 'x' },
      ],
      'has a header of 2.00 MB, which is more than the format needs.',
    ],
    [
      'a file that is a folder, too',
      [
        { path: 'a/b', data: 'x' },
        { path: 'A', data: 'x' },
      ],
      'has a file and a folder with one name: "A".',
    ],
    [
      'a folder that is a file, too',
      [
        { path: 'a', data: 'x' },
        { path: 'a/b/c', data: 'x' },
      ],
      'has a file and a folder with one name: "a/b/c".',
    ],
    [
      'a folder that has the name of a file',
      [
        { path: 'a', data: 'x' },
        { path: 'a/', type: 'Directory' },
      ],
      'has a file and a folder with one name: "a/".',
    ],
    [
      'a file twice in two encodings',
      [
        { path: 'mod\u00e9l', data: 'x' },
        { path: 'mode\u0301l', data: 'x' },
      ],
      'has the file "mode\u0301l" twice.',
    ],
    [
      'a deep path',
      [{ path: `${'a/'.repeat(40)}b`, data: 'x' }],
      /has a path of 41 levels \("a\/a.*\); the limit is 32\.$/,
    ],
    [
      'a long name',
      [
        { path: 'x', type: 'NextFileHasLongPath', data: 'a'.repeat(5000) },
        { path: 'x', data: 'x' },
      ],
      /has a name of 5000 bytes \("a{100}"\); the limit is 255\.$/,
    ],
    [
      'a long path',
      [
        { path: 'x', type: 'ExtendedHeader', data: pax(`path=${`${'\u00e9'.repeat(100)}/`.repeat(5)}b`) },
        { path: 'x', data: 'x' },
      ],
      /has a path of 1006 bytes \("\u00e9{100}"\); the limit is 800\.$/,
    ],
    [
      'too many folders in its paths',
      [
        { path: 'a/b/c/d/e/f', data: 'x' },
        { path: 'g/h/i/j/k/l', data: 'x' },
      ],
      'has more than 10 files and folders, which is the limit.',
    ],
    [
      'a file twice',
      [
        { path: 'model.onnx', data: 'a' },
        { path: './MODEL.onnx', data: 'b' },
      ],
      'has the file "./MODEL.onnx" twice.',
    ],
    [
      'too many folders',
      Array.from({ length: 11 }, (_, index) => ({ path: `f${index}/`, type: 'Directory' as const })),
      'has more than 10 files and folders, which is the limit.',
    ],
    [
      'too many files',
      Array.from({ length: 11 }, (_, index) => ({ path: `f${index}`, data: 'x' })),
      'has more than 10 files and folders, which is the limit.',
    ],
    [
      'more bytes than its limit',
      [
        { path: 'a', data: Buffer.alloc(9_000_000) },
        { path: 'b', data: Buffer.alloc(2_000_000) },
      ],
      'unpacks to more than 10.0 MB; the limit is 10.0 MB, and 100 times the size of the archive.',
    ],
  ] as [string, readonly Entry[], string][])('is refused with %s', async (_, entries, message) => {
    await expect(unpack(await write(entries), limits)).rejects.toThrow(message);
  });

  it('is refused before it is written if it is much larger than the archive', async () => {
    const path = await write([{ path: 'bomb', data: Buffer.alloc(80 * 1024 ** 2) }]);
    const folder = join(await temporaryFolder(), 'm');
    await expect(unpackArchive(path, folder, 'model.tar.gz')).rejects.toThrow(
      /unpacks to more than 7\d(?:\.\d)? MB; the limit is 17.2 GB/,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('is refused if the data after its last entry is much larger', async () => {
    const whole = gunzipSync(pack([{ path: 'model.onnx', data: GRAPH }]));
    const path = await write(gzipSync(Buffer.concat([whole, Buffer.alloc(30_000_000)])));
    await expect(unpack(path, limits)).rejects.toThrow('unpacks to more than 10.0 MB');
  });

  it('does not wait for zeros after its end', async () => {
    const whole = gunzipSync(pack([{ path: 'model.onnx', data: GRAPH }]));
    // The parser copies all that follows the end each time that more comes: for these 60 MB it would be minutes.
    const path = await write(gzipSync(Buffer.concat([whole, Buffer.alloc(60_000_000)])));
    const { folder } = await unpack(path, { entries: 10, bytes: 100_000_000, ratio: 2000 });
    expect(await readdir(folder)).toEqual(['model.onnx']);
  });

  it('is refused if it is compressed twice', async () => {
    const path = await write(gzipSync(pack([{ path: 'model.onnx', data: GRAPH }])));
    await expect(unpack(path)).rejects.toThrow(
      '"model.tar.gz" is compressed twice; decompress it once with gunzip.',
    );
  });

  it('leaves out what is not part of a model', async () => {
    const entries: readonly Entry[] = [
      { path: 'label', type: 'TapeVolumeHeader' },
      { path: 'a/', type: 'GNUDumpDir', data: 'Ymodel.onnx\0\0' },
      { path: 'a/model.onnx', data: GRAPH },
      { path: 'a/', type: 'Directory' },
    ];
    const { folder } = await unpack(await write(entries));
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(['a', 'a/model.onnx']);
  });

  it.each<[string, (whole: Buffer) => Buffer]>([
    ['is cut short', (whole) => whole.subarray(0, whole.length - 40)],
    [
      'is damaged',
      (whole) => Buffer.concat([whole.subarray(0, 100), Buffer.alloc(50, 1), whole.subarray(150)]),
    ],
    ['is something else', () => Buffer.from('<html>not found</html>'.repeat(60))],
    ['is gzip of something else', () => gzipSync(Buffer.from('<html>not found</html>'.repeat(60)))],
  ])('is refused if the archive %s', async (_, change) => {
    const path = await write(change(pack([{ path: 'model.onnx', data: GRAPH }])));
    await expect(unpack(path)).rejects.toThrow(/^"model\.tar\.gz" is not a tar archive, or is damaged: /);
  });

  it('is the same if the archive is not compressed', async () => {
    const path = await write(gunzipSync(pack([{ path: 'model.onnx', data: GRAPH }])), 'model.tar');
    expect(await readdir((await unpack(path)).folder)).toEqual(['model.onnx']);
  });
});
