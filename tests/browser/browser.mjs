// SPDX-License-Identifier: Apache-2.0
// A real browser before a real binary. Writes a picture of the documentation to KUBECENT_SCREENSHOT.
import process from 'node:process';
import { freePort, withBackend } from '../support/backend.mjs';
import { Checks } from '../support/checks.mjs';
import { findChromium, withBrowser } from './chromium.mjs';
import { checkInvalid, checkReading, checkUnavailable } from './cross_origin.mjs';
import { checkPlain, checkSwagger, checkSwaggerUnderPrefix } from './docs.mjs';

const chromium = findChromium();
if (!chromium) {
  console.log('skipped: chromium is not installed');
  process.exit(77);
}

const hasSwagger = process.env.KUBECENT_HAS_SWAGGER === 'TRUE';
const unreachable = { OPENCOST_URL: `http://127.0.0.1:${await freePort()}` };
const checks = new Checks();
await withBrowser(chromium, async (browser) => {
  await withBackend({ args: ['--demo'] }, async (base, backend) => {
    await checks.run('a frontend of another origin reads all, and unchanged costs cost nothing',
      () => checkReading(browser, base, backend));
    await checks.run('a frontend of another origin sees what is invalid', () => checkInvalid(browser, base));
    await checks.run('the documentation is a page without scripts', () => checkPlain(browser, base));
    if (hasSwagger) {
      await checks.run('the documentation can be tried out',
        () => checkSwagger(browser, base, process.env.KUBECENT_SCREENSHOT));
      await checks.run('the documentation can be tried out under a prefix', () => checkSwaggerUnderPrefix(browser, base));
    } else {
      console.log('skipped  Swagger UI: it is not built in');
    }
  });
  await withBackend({ settings: unreachable }, (base) =>
    checks.run('a frontend of another origin sees why there are no costs', () => checkUnavailable(browser, base)));
});
checks.finish();
