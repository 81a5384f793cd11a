// Debian's Chromium, and pages in it.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** @import { Browser, BrowserContextOptions, Page } from 'playwright-core' */

const executablePath = process.env['HANSA_CHROMIUM'] ?? '/usr/bin/chromium';

// Without these, Chromium asks hosts of its maker for updates and variations at each start.
const quiet = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
];

export async function launch() {
  if (!existsSync(executablePath)) {
    throw new Error(`there is no ${executablePath}; install it with: scripts/install-packages dashboard`);
  }
  return chromium.launch({
    executablePath,
    headless: true,
    // Chromium's own sandbox needs user namespaces, which containers and root often do not have.
    args: [...quiet, '--disable-gpu', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
  });
}

export const desk = { width: 1440, height: 900 };
export const phone = { width: 390, height: 844 };

/**
 * A page that fails the test on errors of scripts, on what the content security policy refuses, and on requests to
 * another host.
 * @param {Browser} browser @param {string} address @param {BrowserContextOptions} [options]
 * @returns {Promise<{ page: Page, problems: string[] }>}
 */
export async function openPage(browser, address, options = {}) {
  const context = await browser.newContext({ viewport: desk, reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  /** @type {string[]} */
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    // A failed request is logged by the browser itself, and some tests cause one.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      problems.push(message.text());
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'blob:' && url.origin !== new URL(address).origin)
      problems.push(`request to ${url.origin}`);
  });
  await page.goto(address);
  return { page, problems };
}

/** Goes to a view, and waits until it is drawn. @param {Page} page @param {string} fragment */
export async function go(page, fragment) {
  await page.evaluate((value) => (location.hash = value), fragment);
  await drawn(page);
}

/** Waits until nothing loads any more. @param {Page} page */
export async function drawn(page) {
  await page.waitForSelector('main h1');
  await page.waitForFunction(() => !document.querySelector('main .loading'));
  // The stream of events never ends, so there is no idle network: two frames and the pending answers.
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  );
}
