import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { packages, vendor, vendored } from '../../scripts/vendor.js';

test('vendor/ has what the pinned packages have, and nothing else', async () => {
  for (const { from, to } of vendored) {
    const [original, copy] = await Promise.all([
      readFile(new URL(from, packages)),
      readFile(new URL(to, vendor)),
    ]);
    assert.ok(original.equals(copy), `${to} differs from ${from}: npm run vendor`);
  }
  const present = await readdir(new URL('uplot/', vendor));
  assert.deepEqual(present.sort(), vendored.map(({ to }) => to.replace('uplot/', '')).sort());
});

test('the lock file names no registry', async () => {
  assert.ok(
    !(await readFile(new URL('../../package-lock.json', import.meta.url), 'utf8')).includes('"resolved"'),
  );
});
