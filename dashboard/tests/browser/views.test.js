// Every view, in both themes, at desk and phone width: what axe finds, errors, requests to other hosts, width.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startFixture, token } from '../fixture/server.js';
import { seriousProblems } from './axe.js';
import { desk, drawn, go, launch, openPage } from './browser.js';

const views = [
  'overview',
  'rounds',
  'rounds/22',
  'devices',
  'devices/client-04',
  'model',
  'privacy',
  'configuration',
  'log',
  'runs',
  'nothing',
];
const narrow = { width: 360, height: 740 };

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('../fixture/server.js').Fixture} */
let fixture;

before(async () => {
  browser = await launch();
  fixture = await startFixture('small');
  fixture.federation.elapsed = 2;
});
after(async () => {
  await browser?.close();
  await fixture?.close();
});

for (const [size, viewport] of Object.entries({ desk, narrow })) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    test(`views have no serious problem: ${size}, ${colorScheme}`, async () => {
      const { page, problems } = await openPage(browser, `${fixture.address}#token=${token}`, {
        viewport,
        colorScheme,
      });
      for (const view of views) {
        await go(page, `#/${view}`);
        assert.deepEqual(await seriousProblems(page), [], `${view}: what axe finds`);
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.ok(overflow <= 0, `${view} is ${overflow} px wider than the window`);
        assert.equal(await page.locator('h1').count(), 1, `${view} has one h1`);
      }
      assert.deepEqual(problems, []);
      await page.context().close();
    });
  }
}

test('a phone shows what is visible and what is hidden without scrolling to the side', async () => {
  const { page } = await openPage(browser, `${fixture.address}#/privacy`, { viewport: narrow });
  await drawn(page);
  const badges = await page.locator('tbody .badge').all();
  assert.ok(badges.length >= 3);
  for (const badge of badges) {
    const box = await badge.boundingBox();
    assert.ok(box && box.x + box.width <= narrow.width, 'a badge is outside the window');
  }
  await page.context().close();
});

test('a view survives a reload', async () => {
  const { page } = await openPage(browser, `${fixture.address}#/rounds/22?run=run-20261129-221500`);
  await drawn(page);
  await page.reload();
  await drawn(page);
  assert.match((await page.textContent('h1')) ?? '', /Round 22/);
  assert.equal(await page.inputValue('#run'), 'run-20261129-221500');
  await page.context().close();
});

test('the chosen theme holds after a reload', async () => {
  const { page } = await openPage(browser, fixture.address, { colorScheme: 'light' });
  await drawn(page);
  await page.getByRole('button', { name: 'Dark theme' }).click();
  await page.reload();
  await drawn(page);
  assert.equal(await page.evaluate(() => document.documentElement.dataset['theme']), 'dark');
  await page.context().close();
});

test('charts have a sentence and a table', async () => {
  const { page } = await openPage(browser, fixture.address);
  await drawn(page);
  const chart = page.locator('.chart', { hasText: 'Accuracy by round' });
  assert.match((await chart.getByRole('img').getAttribute('aria-label')) ?? '', /Rounds 1 to 24: 8\d\.\d\s%/);
  await chart.getByText('Data table').click();
  // The rows are made when the table has opened.
  await chart.locator('tbody tr').first().waitFor();
  assert.equal(await chart.locator('tbody tr').count(), 24);
  await page.context().close();
});

test('the keyboard reaches the content, and a new view has the focus', async () => {
  const { page } = await openPage(browser, fixture.address);
  await drawn(page);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to the content');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement?.id === 'main');
  await page.getByRole('link', { name: 'Rounds' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(
    () => document.activeElement?.tagName === 'H1' && document.activeElement.textContent === 'Rounds',
  );
  await page.context().close();
});
