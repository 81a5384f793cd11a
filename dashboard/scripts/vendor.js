// Copies the libraries that the page uses from node_modules to vendor/, which is in git and is served.
//
//   npm run vendor
import { copyFile, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Files of npm packages, and their names in vendor/. tests/unit/vendor.test.js compares them. */
export const vendored = [
  { from: 'uplot/dist/uPlot.esm.js', to: 'uplot/uPlot.esm.js' },
  { from: 'uplot/dist/uPlot.min.css', to: 'uplot/uPlot.min.css' },
  { from: 'uplot/dist/uPlot.d.ts', to: 'uplot/uPlot.esm.d.ts' },
  { from: 'uplot/LICENSE', to: 'uplot/LICENSE' },
];

export const packages = new URL('../node_modules/', import.meta.url);
export const vendor = new URL('../vendor/', import.meta.url);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { from, to } of vendored) {
    await mkdir(new URL('.', new URL(to, vendor)), { recursive: true });
    await copyFile(new URL(from, packages), new URL(to, vendor));
  }
}
