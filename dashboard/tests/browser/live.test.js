// What changes while a page is open: rounds, clients, the connection.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { metricValue } from '../../src/format.js';
import { startFixture } from '../fixture/server.js';
import { drawn, go, launch, openPage } from './browser.js';

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('../fixture/server.js').Fixture} */
let fixture;
/** @type {import('playwright-core').Page} */
let page;
/** @type {string[]} */
let problems;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());
beforeEach(async () => {
  fixture = await startFixture('small');
  ({ page, problems } = await openPage(browser, fixture.address));
  await drawn(page);
  await page.getByText('Live', { exact: true }).waitFor();
});
afterEach(async () => {
  await page.context().close();
  await fixture.close();
});

test('the overview answers the three questions', async () => {
  const text = (await page.textContent('.cards')) ?? '';
  assert.match(text, /It learns/);
  assert.match(text, /3 clients of 10 missing/);
  assert.match(text, /client-09.*battery at 12 %/s);
  assert.match(text, /8\.76\sMB/);
});

test('clients are seen to train, to upload and to be counted', async () => {
  const row = page.locator('.tracks li', { hasText: 'client-01' });
  fixture.advance(0.6);
  await row.getByText('trains').waitFor();
  fixture.advance(1.2);
  await row.getByText(/uploads \d+\s%/).waitFor();
  fixture.advance(1.5);
  await row.getByText('masked and counted').waitFor();
  await page.locator('.tracks li', { hasText: 'client-09' }).getByText('declined').waitFor();
});

test('a committed round is drawn without a reload', async () => {
  fixture.advance(4);
  fixture.commit();
  await page.getByText('Round 25 of 40').waitFor();
  await page.getByText('counted in round 25').waitFor();
  await go(page, '#/rounds');
  await page.getByRole('link', { name: '25', exact: true }).waitFor();
  fixture.commit();
  await page.getByRole('link', { name: '26', exact: true }).waitFor();
  assert.deepEqual(problems, []);
});

test('a lost connection is shown, and what was missed is fetched', async () => {
  fixture.failures.set('/events', 503);
  fixture.dropStreams();
  await page.getByText('Not connected. The numbers are those of the last connection.').waitFor();
  fixture.commit();
  fixture.commit();
  fixture.failures.clear();
  await page.getByRole('button', { name: 'Try now' }).click();
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByText('Round 26 of 40').waitFor();
  await page.getByText('counted in round 26').waitFor();
  assert.equal(await page.locator('.banner').count(), 0);
});

test('an evaluation that was missed is fetched', async () => {
  await go(page, '#/rounds');
  fixture.commit({ evaluated: false });
  const row = page.locator('tbody tr', { has: page.getByRole('link', { name: '25', exact: true }) });
  await row.waitFor();
  fixture.failures.set('/events', 503);
  fixture.dropStreams();
  await page.getByText('Not connected. The numbers are those of the last connection.').waitFor();
  fixture.evaluate();
  fixture.failures.clear();
  await page.getByRole('button', { name: 'Try now' }).click();
  const [accuracy] = fixture.federation.round(25).evaluation;
  await row.getByText(metricValue('accuracy', accuracy?.mean)).waitFor();
});

test('the connection comes back by itself', async () => {
  fixture.dropStreams();
  await page.waitForFunction(() => !document.querySelector('.banner'));
  fixture.commit();
  await page.getByText('Round 25 of 40').waitFor();
});

test('the log grows at its end, and goes back on demand', async () => {
  await go(page, '#/log');
  await page.locator('.log li').first().waitFor();
  fixture.commit();
  await page.locator('.log li', { hasText: 'round 25' }).first().waitFor();
  await page.getByLabel('Level').selectOption('warning');
  await page.waitForFunction(() =>
    [...document.querySelectorAll('.log li')].every((row) => row.className === 'warning'),
  );
  await page.getByLabel('Round').fill('3');
  await page.waitForFunction(() => document.querySelectorAll('.log li').length === 1);
  await page.reload();
  await drawn(page);
  assert.equal(await page.inputValue('#log-round'), '3', 'the filter survives a reload');
});
