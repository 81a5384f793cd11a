// The page over a real federation of ten clients: two are killed, and one declines.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { seriousProblems } from '../browser/axe.js';
import { desk, drawn, go, launch, openPage, phone } from '../browser/browser.js';
import { RealFederation } from './federation.js';

// Rounds take as long as the machine needs for ten trainings.
const patience = { timeout: 300_000 };

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {RealFederation} */
let federation;
/** @type {import('playwright-core').Page} */
let page;
/** @type {string[]} */
let problems;

before(async () => {
  browser = await launch();
  federation = await RealFederation.start({ declines: 'client-09' });
  ({ page, problems } = await openPage(browser, `${federation.address}#token=${federation.token}`));
});
after(async () => {
  await browser?.close();
  await federation?.close();
});

const cards = () => page.locator('.cards');

test('rounds appear while the page is open', async () => {
  await page.getByText('Live', { exact: true }).waitFor(patience);
  await page.locator('.tracks li', { hasText: 'client-01' }).waitFor(patience);
  await page.getByText(/counted in round [2-9]/).waitFor(patience);
  assert.ok((await page.locator('.chart').count()) >= 2);
});

test('the page says who is missing, and why', async () => {
  await cards().getByText('client-09').waitFor(patience);
  await federation.kill('client-04');
  await federation.kill('client-07');
  for (const client of ['client-04', 'client-07']) await cards().getByText(client).waitFor(patience);
  // While the details of a new round are fetched, a client that it lost may be missing from the list.
  for (const hasText of [/clients of 10 missing/, /client-09\s*[^]*?(memory|declined|left out)/])
    await page.locator('.cards', { hasText }).waitFor(patience);
});

test('every view shows the real numbers, at desk and phone width', async () => {
  const last = Number(/Round (\d+) of/.exec((await page.textContent('main')) ?? '')?.[1] ?? 1);
  const texts = {
    overview: /What does it cost/,
    rounds: /\d+ of 10/,
    [`rounds/${last}`]: /client-01/,
    devices: /client-10/,
    'devices/client-04': /Identity key/,
    model: /hansa model export/,
    privacy: /The aggregator sees the sum of the updates/,
    configuration: /\[secure_aggregation\]/,
    log: /Follow/,
    runs: /running/,
  };
  for (const viewport of [phone, { width: 1440, height: 900 }]) {
    await page.setViewportSize(viewport);
    for (const [view, pattern] of Object.entries(texts)) {
      await go(page, `#/${view}`);
      await page.locator('main', { hasText: pattern }).waitFor(patience);
      assert.deepEqual(await seriousProblems(page), [], view);
      assert.equal(await page.locator('.failure').count(), 0, view);
    }
  }
  assert.deepEqual(problems, []);
});

test('the log has the lines of the aggregator, and grows', async () => {
  await go(page, '#/log');
  await page.locator('.log li', { hasText: 'declined' }).first().waitFor(patience);
  const rows = await page.locator('.log li').count();
  await page.waitForFunction(
    (before) => document.querySelectorAll('.log li').length > before,
    rows,
    patience,
  );
});

test('a device is quarantined and released with the token', async () => {
  await go(page, '#/devices/client-02');
  await page.getByRole('button', { name: 'Quarantine' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Quarantine' }).click();
  await page.locator('.device-head').getByText('quarantined').waitFor(patience);
  await page.getByRole('button', { name: 'Release' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
  await page.locator('.device-head').getByText('admitted').waitFor(patience);
});

test('without the token the same actions are refused', async () => {
  const response = await fetch(new URL('api/v1/actions/stop', federation.address), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"after_round": true}',
  });
  assert.ok([401, 403].includes(response.status), `status ${response.status}`);
});

test('the aggregator stops after the round, and the folder can be looked at', async () => {
  await go(page, '#/overview');
  await page.getByRole('button', { name: 'Stop after this round' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Stop after this round' }).click();
  assert.equal(await federation.aggregatorEnds(), 0, federation.report());
  await page.getByText('Not connected. The numbers are those of the last connection.').waitFor(patience);

  await page.goto(await federation.watchFolder());
  await drawn(page);
  await page.getByText('Watching').waitFor(patience);
  await page.getByText(/counted in round \d+/).waitFor(patience);
  await page.locator('.badge', { hasText: 'stopped' }).waitFor(patience);
});

test('the report of the run opens without a network, on a screen and on paper', async () => {
  const address = pathToFileURL(await federation.writeReport()).href;
  for (const viewport of [phone, desk]) {
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      const { page: report, problems: found } = await openPage(browser, address, {
        viewport,
        colorScheme,
        offline: true,
      });
      assert.deepEqual(await seriousProblems(report), [], `${viewport.width} px, ${colorScheme}`);
      const overflow = await report.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.ok(overflow <= 0, `the report is ${overflow} px wider than the window`);
      assert.deepEqual(found, []);
      await report.context().close();
    }
  }
  // A sheet of A4 within its margins of 15 mm is 680 px wide. What is wider is cut off.
  const { page: report } = await openPage(browser, address, { viewport: { width: 680, height: 1000 } });
  await report.emulateMedia({ media: 'print' });
  const cut = await report.evaluate(() =>
    [...document.querySelectorAll('table, figure, pre')]
      .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth)
      .map((element) => element.querySelector('caption')?.textContent ?? element.tagName),
  );
  assert.deepEqual(cut, [], 'what a sheet of paper cuts off');
  for (const id of ['summary', 'spread', 'rounds', 'participants', 'devices', 'configuration'])
    assert.equal(await report.locator(`[id="${id}"], [id="${id}-title"]`).first().count(), 1, id);
  await report.context().close();
});
