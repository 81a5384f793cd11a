// States that are hard to reach with real processes: hostile names, nothing, everything broken, a great deal.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { metricValue } from '../../src/format.js';
import { startFixture, token } from '../fixture/server.js';
import { seriousProblems } from './axe.js';
import { drawn, go, launch, openPage } from './browser.js';

/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/**
 * @param {string} scenario @param {(page: import('playwright-core').Page, fixture: import('../fixture/server.js').Fixture, problems: string[]) => Promise<void>} use
 */
async function inScenario(scenario, use) {
  const fixture = await startFixture(scenario);
  const { page, problems } = await openPage(browser, fixture.address);
  try {
    await use(page, fixture, problems);
  } finally {
    await page.context().close();
    await fixture.close();
  }
}

test('names that look like markup are text', async () => {
  await inScenario('hostile', async (page, fixture, problems) => {
    await drawn(page);
    fixture.advance(2);
    for (const view of [
      'overview',
      'rounds',
      'rounds/24',
      'devices',
      'model',
      'configuration',
      'log',
      'runs',
      ...fixture.federation.scenario.clients.map((name) => `devices/${encodeURIComponent(name)}`),
    ]) {
      await go(page, `#/${view}`);
      const made = await page.evaluate(() => ({
        elements: document.querySelectorAll('main img, main script, main b, main i').length,
        title: document.title,
      }));
      assert.equal(made.elements, 0, view);
      assert.match(made.title, /Hansa$/, view);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.ok(overflow <= 0, `${view} is wider than the window`);
    }
    await go(page, '#/devices');
    await page.getByText('\\u202egnp.tfel-ot-thgir').first().waitFor();
    assert.deepEqual(await seriousProblems(page), []);
    assert.deepEqual(problems, []);
  });
});

test('a federation without a run says what comes next', async () => {
  await inScenario('empty', async (page, fixture, problems) => {
    for (const [view, text] of Object.entries({
      overview: 'No run yet',
      rounds: 'No run yet',
      devices: 'No device yet',
      model: 'No run yet',
      runs: 'No run yet',
      configuration: 'No run yet',
      log: 'No record',
    })) {
      await go(page, `#/${view}`);
      await page.getByText(text, { exact: true }).waitFor();
      assert.deepEqual(await seriousProblems(page), [], view);
    }
    assert.equal(fixture.posts.length, 0);
    assert.deepEqual(problems, []);
  });
});

test('folders of runs are shown without a live aggregator', async () => {
  await inScenario('offline', async (page, _, problems) => {
    await drawn(page);
    await page.getByText('Watching').waitFor();
    await page.getByText('Accuracy by round').waitFor();
    assert.equal(await page.locator('.timeline').count(), 0);
    assert.equal(await page.getByRole('button', { name: 'Enter the token to act' }).count(), 0);
    await go(page, '#/devices');
    await page.getByText('There is no register of devices').waitFor();
    await go(page, '#/log');
    await page.getByText('This server watches folders of runs.', { exact: false }).waitFor();
    assert.deepEqual(problems, []);
  });
});

test('a run that cannot be read says why', async () => {
  await inScenario('small', async (page) => {
    await go(page, '#/runs');
    await page.getByText(/the digest of row 7 of table rounds does not match/).waitFor();
    await go(page, '#/overview?run=run-20261128-101010');
    await page
      .getByText(/restore the folder from a backup/)
      .first()
      .waitFor();
  });
});

test('an answer that fails is shown with its hint, and can be asked for again', async () => {
  await inScenario('small', async (page, fixture) => {
    fixture.failures.set(`/runs/${fixture.federation.current}/model`, 500);
    await go(page, '#/model');
    await page.getByText('The file could not be read.').waitFor();
    await page.getByText('Check the disk.').waitFor();
    fixture.failures.clear();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('Where it came from').waitFor();
  });
});

test('a server that is locked asks for the token', async () => {
  await inScenario('locked', async (page) => {
    await page.getByRole('dialog').waitFor();
    assert.deepEqual(await seriousProblems(page), []);
    await page.getByLabel('Token', { exact: true }).fill(token);
    await page.getByRole('button', { name: 'Use this token' }).click();
    await page.getByText('It learns').waitFor();
  });
});

test('a server that is gone is said to be', async () => {
  const fixture = await startFixture('small');
  fixture.failures.set('/federation', 503);
  const { page } = await openPage(browser, fixture.address);
  await page.getByRole('heading', { name: 'Not connected' }).waitFor();
  fixture.failures.clear();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('It learns').waitFor();
  await page.context().close();
  await fixture.close();
});

test('a thousand devices and 10,000 rounds draw what is seen only', async () => {
  await inScenario('big', async (page, fixture, problems) => {
    await drawn(page);
    await page.locator('.cards').getByText('learn').first().waitFor();
    fixture.advance(2);
    await page.locator('.tracks li').first().waitFor();
    assert.ok((await page.locator('.tracks li').count()) <= 60);
    await go(page, '#/devices');
    await page.getByText('1,000 devices').waitFor();
    assert.ok((await page.locator('tbody tr').count()) < 60);
    await page.getByLabel('Find').fill('client-97');
    await page.getByText('11 of 1,000 devices').waitFor();
    await go(page, '#/rounds');
    await page.getByText('10,000 rounds').waitFor();
    await page.getByLabel('Go to round').fill('5000');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: '5,000', exact: true }).waitFor();
    assert.ok((await page.locator('tbody tr').count()) < 60);
    await go(page, '#/rounds/5000');
    await page.getByRole('heading', { name: 'Participants' }).waitFor();
    assert.ok((await page.locator('tbody tr').count()) < 200);
    assert.deepEqual(problems, []);
  });
});

test('rounds are sorted by every column, by mouse and by keyboard', async () => {
  await inScenario('big', async (page, fixture, problems) => {
    await drawn(page);
    await go(page, '#/rounds');
    await page.getByText('10,000 rounds', { exact: true }).waitFor();
    const table = page.getByRole('table', { name: 'Rounds' });
    const header = (/** @type {string} */ name) => table.getByRole('columnheader', { name, exact: true });
    const firstRounds = () =>
      table
        .locator('tbody th a')
        .evaluateAll((links) => links.slice(0, 3).map((link) => Number(link.textContent?.replace(',', ''))));
    assert.equal(await header('Round').getAttribute('aria-sort'), 'descending');
    assert.deepEqual(await firstRounds(), [10000, 9999, 9998]);
    // Rounds by number need no more requests than those that are seen.
    await header('Round').getByRole('button').click();
    assert.equal(await header('Round').getAttribute('aria-sort'), 'ascending');
    await page.getByRole('link', { name: '1', exact: true }).waitFor();
    assert.deepEqual(await firstRounds(), [1, 2, 3]);

    const all = Array.from({ length: 10_000 }, (_, index) => fixture.federation.round(index + 1, 0));
    const longest = [...all].sort((a, b) => Number(b.seconds) - Number(a.seconds) || a.round - b.round);
    const shortest = Math.min(...all.map(({ seconds }) => Number(seconds)));
    await header('Duration').getByRole('button').focus();
    await page.keyboard.press('Enter');
    const linkOf = (/** @type {number} */ round) =>
      page.getByRole('link', { name: round.toLocaleString('en'), exact: true });
    await linkOf(longest[0]?.round ?? 0).waitFor();
    assert.equal(await header('Duration').getAttribute('aria-sort'), 'descending');
    assert.equal(await header('Round').getAttribute('aria-sort'), null);
    assert.deepEqual(
      await firstRounds(),
      longest.slice(0, 3).map(({ round }) => round),
    );
    await page.keyboard.press(' ');
    await linkOf(all.findIndex(({ seconds }) => seconds === shortest) + 1).waitFor();
    assert.equal(await header('Duration').getAttribute('aria-sort'), 'ascending');
    assert.ok((await table.locator('tbody tr').count()) < 60);
    // A round is found in every order, and the order survives a reload.
    await page.getByLabel('Go to round').fill('5000');
    await page.keyboard.press('Enter');
    await linkOf(5000).waitFor();
    await page.reload();
    await drawn(page);
    await page.locator('th[aria-sort="ascending"]', { hasText: 'Duration' }).waitFor();
    assert.deepEqual(await seriousProblems(page), []);
    assert.deepEqual(problems, []);
  });
});

test('the current round names the clients whose updates it waits for', async () => {
  await inScenario('small', async (page, fixture) => {
    await drawn(page);
    fixture.advance(2);
    await page
      .locator('.live-text', { hasText: /waits for the updates of \d of 9 clients: client-0\d/ })
      .waitFor();
  });
});

test('a round that is committed is sorted in', async () => {
  await inScenario('small', async (page, fixture) => {
    await go(page, '#/rounds?sort=examples&order=up');
    const before = fixture.federation.committed;
    await page.getByText(`${before} rounds`, { exact: true }).waitFor();
    fixture.commit();
    await page.getByText(`${before + 1} rounds`, { exact: true }).waitFor();
    await page.getByRole('link', { name: String(before + 1), exact: true }).waitFor();
  });
});

for (const order of ['', '?sort=metric:accuracy&order=up']) {
  test(`an evaluation that comes after its round appears in the table: #/rounds${order}`, async () => {
    await inScenario('small', async (page, fixture) => {
      await drawn(page);
      fixture.commit({ evaluated: false });
      const newest = fixture.federation.committed;
      await page.getByText(`Round ${newest} of 40`).waitFor();
      await go(page, `#/rounds${order}`);
      const row = page.locator('tbody tr', {
        has: page.getByRole('link', { name: String(newest), exact: true }),
      });
      await row.waitFor();
      const { held_out: heldOut } = fixture.federation.round(newest);
      await row.getByText(metricValue('accuracy', heldOut?.metrics[0]?.mean)).waitFor();
      fixture.evaluate();
      await row
        .getByText(metricValue('accuracy', fixture.federation.round(newest).evaluation[0]?.mean))
        .waitFor();
    });
  });
}

test('the statistics of the inputs are shown with the model', async () => {
  await inScenario('small', async (page) => {
    await go(page, '#/model');
    const row = page.getByRole('table', { name: 'Columns of the inputs' }).locator('tbody tr').first();
    assert.match((await row.textContent()) ?? '', /61\.25.*12\.5/);
  });
});

test('the values of a model can be downloaded', async () => {
  await inScenario('small', async (page) => {
    await go(page, '#/rounds/24');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download the values (float32)' }).click();
    assert.equal((await download).suggestedFilename(), 'run-20261130-080000-24.f32');
  });
});
