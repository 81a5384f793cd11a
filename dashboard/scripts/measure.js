// Prints what the page costs: time to the first paint and to the numbers, processor time of an update, memory, nodes.
//
//   npm run measure
//
// Against tests/fixture, with ten devices and with 1,000 devices x 10,000 rounds. docs/performance.md has figures.
import { launch, openPage } from '../tests/browser/browser.js';
import { startFixture } from '../tests/fixture/server.js';

/** @import { CDPSession, Page } from 'playwright-core' */

const updates = 60;

/** @param {CDPSession} session */
async function metrics(session) {
  const { metrics: list } = await session.send('Performance.getMetrics');
  return new Map(list.map(({ name, value }) => [name, value]));
}

/** @param {CDPSession} session @param {Page} page */
async function memory(session, page) {
  await session.send('HeapProfiler.collectGarbage');
  const values = await metrics(session);
  return {
    'heap (MB)': ((values.get('JSHeapUsedSize') ?? 0) / 1e6).toFixed(1),
    nodes: await page.evaluate(() => document.querySelectorAll('*').length),
  };
}

/** @param {Page} page */
const twoFrames = (page) =>
  page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

/** @param {string} scenario @param {import('playwright-core').Browser} browser */
async function measure(scenario, browser) {
  const fixture = await startFixture(scenario);
  const { page } = await openPage(browser, 'about:blank');
  const session = await page.context().newCDPSession(page);
  // Processor time of the main thread, not time on the clock, which other processes lengthen.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  /** @type {Record<string, unknown>} */
  const result = {};
  await page.goto(fixture.address);
  await page.locator('.card .big').first().waitFor();
  const shown = await page.evaluate(() => performance.now());
  const paint = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
  );
  const received = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .reduce((sum, entry) => sum + /** @type {PerformanceResourceTiming} */ (entry).encodedBodySize, 0),
  );
  result['first paint (ms)'] = Math.round(paint);
  result['numbers shown (ms)'] = Math.round(shown);
  result['received (kB)'] = Math.round(received / 1000);

  fixture.advance(0.5);
  await page.locator('.tracks li').first().waitFor();
  const perUpdate = async (/** @type {() => void} */ update) => {
    await twoFrames(page);
    const before = await metrics(session);
    for (let count = 0; count < updates; count++) {
      update();
      await twoFrames(page);
    }
    const after = await metrics(session);
    return (
      (1000 * ((after.get('TaskDuration') ?? 0) - (before.get('TaskDuration') ?? 0))) /
      updates
    ).toFixed(1);
  };
  result['live state (ms of the main thread)'] = await perUpdate(() => fixture.advance(0.05));
  result['committed round (ms of the main thread)'] = await perUpdate(() => fixture.commit());
  Object.assign(result, await memory(session, page));
  for (const view of ['rounds', 'devices', 'log', 'model']) {
    const begun = performance.now();
    await page.evaluate((name) => (location.hash = `#/${name}`), view);
    await page.locator('main tbody tr:not(.space), main .log li').nth(5).waitFor();
    result[`${view} shown (ms)`] = Math.round(performance.now() - begun);
  }
  Object.assign(
    result,
    Object.fromEntries(
      Object.entries(await memory(session, page)).map(([key, value]) => [`${key}, after all views`, value]),
    ),
  );
  await page.context().close();
  await fixture.close();
  return result;
}

const browser = await launch();
const small = await measure('small', browser);
const big = await measure('big', browser);
console.table(
  Object.fromEntries(
    Object.keys(small).map((key) => [
      key,
      { '10 devices': small[key], '1,000 devices x 10,000 rounds': big[key] },
    ]),
  ),
);
await browser.close();
