// axe-core in a page.
import { readFile } from 'node:fs/promises';

/** @import { Page } from 'playwright-core' */

const source = await readFile(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/** What axe finds that is serious or critical, as lines. @param {Page} page @returns {Promise<string[]>} */
export async function seriousProblems(page) {
  await page.evaluate(source);
  const violations = await page.evaluate(async () => {
    const { axe } = /** @type {any} */ (globalThis);
    return (await axe.run(document, { resultTypes: ['violations'] })).violations;
  });
  return violations
    .filter((/** @type {any} */ { impact }) => impact === 'serious' || impact === 'critical')
    .map(
      (/** @type {any} */ { id, help, nodes }) =>
        `${id}: ${help}: ${nodes
          .slice(0, 3)
          .map((/** @type {any} */ node) => node.html.slice(0, 160))
          .join(' | ')}`,
    );
}
