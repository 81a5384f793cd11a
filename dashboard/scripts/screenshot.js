// Makes docs/images/dashboard.png: the overview of a real federation of ten clients, of which two were killed and one
// declines.
//
//   HANSA_BIN=$PWD/../build/release/bin npm run screenshot
//   convert docs/images/dashboard.png -dither None -colors 200 png8:docs/images/dashboard.png   # a third of the bytes
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { launch, openPage } from '../tests/browser/browser.js';
import { RealFederation } from '../tests/federation/federation.js';

const file = fileURLToPath(new URL('../../docs/images/dashboard.png', import.meta.url));
const roundsBefore = Number(process.env['ROUNDS'] ?? 10);
const patience = { timeout: 1_200_000 };

const federation = await RealFederation.start({ declines: 'client-09' });
const browser = await launch();
try {
  const { page } = await openPage(browser, `${federation.address}#token=${federation.token}`, {
    viewport: { width: 1440, height: 900 },
  });
  await page.getByText(`counted in round ${roundsBefore}`).waitFor(patience);
  await federation.kill('client-04');
  await federation.kill('client-07');
  await page.getByText(`counted in round ${roundsBefore + 2}`).waitFor(patience);
  // In the middle of a round, when some clients are done and some are not.
  await page.locator('.track-state', { hasText: 'masked and counted' }).nth(2).waitFor(patience);
  await mkdir(new URL('../../docs/images/', import.meta.url), { recursive: true });
  await page.screenshot({ path: file });
} finally {
  await browser.close();
  await federation.close();
}
