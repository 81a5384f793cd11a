// What the operator can do, and only with the token.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { startFixture, token } from '../fixture/server.js';
import { seriousProblems } from './axe.js';
import { drawn, go, launch, openPage } from './browser.js';

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('../fixture/server.js').Fixture} */
let fixture;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());
beforeEach(async () => {
  fixture = await startFixture('small');
});
afterEach(() => fixture.close());

async function withToken() {
  const { page } = await openPage(browser, `${fixture.address}#token=${token}`);
  await drawn(page);
  return page;
}

test('the token leaves the address, holds after a reload, and is not kept for other tabs', async () => {
  const page = await withToken();
  assert.ok(!page.url().includes(token));
  await page.reload();
  await drawn(page);
  await page.getByRole('button', { name: 'Stop after this round' }).waitFor();
  const other = await page.context().newPage();
  await other.goto(fixture.address);
  await drawn(other);
  await other.getByRole('button', { name: 'Enter the token to act' }).waitFor();
  assert.ok(fixture.requests.every((path) => !path.includes(token)));
  await page.context().close();
});

test('the run stops after a question', async () => {
  const page = await withToken();
  await page.getByRole('button', { name: 'Stop after this round' }).click();
  const dialog = page.getByRole('dialog', { name: 'Stop after this round?' });
  await dialog.waitFor();
  assert.deepEqual(await seriousProblems(page), []);
  await page.keyboard.press('Escape');
  assert.equal(fixture.posts.length, 0);
  assert.equal(
    await page.evaluate(() => document.activeElement?.textContent),
    'Stop after this round',
    'the focus is given back',
  );
  await page.getByRole('button', { name: 'Stop after this round' }).click();
  await dialog.getByRole('button', { name: 'Stop after this round' }).click();
  await dialog.getByText('The aggregator ends after this round.').waitFor();
  assert.deepEqual(fixture.posts, [{ path: '/actions/stop', body: { after_round: true } }]);
  await page.context().close();
});

test('a device is quarantined and released, and an error has its hint', async () => {
  const page = await withToken();
  await go(page, '#/devices/client-02');
  await page.getByRole('button', { name: 'Quarantine' }).click();
  await page.getByLabel('Reason').fill('noisy');
  await page.getByRole('dialog').getByRole('button', { name: 'Quarantine' }).click();
  await page.locator('.device-head').getByText('quarantined').waitFor();
  assert.deepEqual(fixture.posts, [{ path: '/devices/client-02/quarantine', body: { reason: 'noisy' } }]);
  await page.getByRole('button', { name: 'Release' }).click();
  fixture.federation.states.set('client-02', 'admitted');
  await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
  const alert = page.getByRole('alert');
  await alert.getByText('The device is not quarantined.').waitFor();
  await alert.getByText('Reload the page.').waitFor();
  await page.context().close();
});

test('the command of an invitation is shown once', async () => {
  const page = await withToken();
  await go(page, '#/devices');
  await page.getByRole('button', { name: 'Invite devices' }).click();
  await page.getByLabel('Label').fill('hall 3');
  await page.getByLabel('Devices that may use it').fill('2');
  await page.getByRole('button', { name: 'Make the token' }).click();
  await page.getByText('hansa-client join hansa-join-once').waitFor();
  assert.deepEqual(fixture.posts, [
    { path: '/invitations', body: { uses: 2, expires_seconds: 86_400, label: 'hall 3' } },
  ]);
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  // The browser reports that a dialog has closed only after the click.
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.ok(!(await page.content()).includes('hansa-join-once'));
  await page.context().close();
});

test('a wrong token is refused, and nothing was sent', async () => {
  const { page } = await openPage(browser, `${fixture.address}#token=guess`);
  await drawn(page);
  await page.getByRole('button', { name: 'Enter the token to act' }).click();
  await page.getByLabel('Token', { exact: true }).fill('another guess');
  await page.getByRole('button', { name: 'Use this token' }).click();
  await page.getByText('This token is not the one of this aggregator.').waitFor();
  assert.deepEqual(fixture.posts, []);
  await page.getByLabel('Token', { exact: true }).fill(token);
  await page.getByRole('button', { name: 'Use this token' }).click();
  await page.getByRole('button', { name: 'Stop after this round' }).waitFor();
  await page.context().close();
});
