// SPDX-License-Identifier: Apache-2.0
// The documentation's page, as a person uses it.
import assert from 'node:assert/strict';
import http from 'node:http';
import { withServer } from '../support/backend.mjs';
import { withPage } from './chromium.mjs';

const OPERATION = '#operations-costs-get_namespace_costs_api_v1_cost_namespaces_get';

function assertKeptToItself(base, seen) {
  assert.deepEqual(seen.complaints, []);
  assert.deepEqual(seen.requests.filter((url) => !url.startsWith(`${base}/`) && !url.startsWith('data:')), []);
  assert.ok(seen.requests.length > 0);
}

// Opens the page, expands a route, asks and reads what came.
async function tryItOut(page, base) {
  await page.goto(`${base}/api/docs`);
  const operation = page.locator(OPERATION);
  await operation.locator('.opblock-summary-control').click();
  await operation.getByRole('button', { name: 'Try it out' }).click();
  await operation.getByRole('button', { name: 'Execute' }).click();
  const live = operation.locator('.live-responses-table .response').first();
  await live.waitFor();
  assert.equal((await live.locator('.response-col_status').innerText()).trim().split(/\s/)[0], '200');
  const url = (await operation.locator('.request-url').innerText()).replace(/^Request URL\s*/, '').trim();
  const answer = JSON.parse(await live.locator('.highlight-code code, .highlight-code').last().innerText());
  return { operation, url, answer };
}

export async function checkSwagger(browser, base, screenshot) {
  await withPage(browser, {}, async (page, seen) => {
    const { operation, url, answer } = await tryItOut(page, base);
    assert.equal(url.split('?')[0], `${base}/api/v1/cost/namespaces`);
    assert.equal(answer.window, '7d');
    assert.ok(answer.item_count > 0 && answer.namespaces.length === answer.item_count);
    const { y } = await operation.boundingBox();
    const top = y + await page.evaluate(() => window.scrollY);
    await page.screenshot({ path: screenshot, fullPage: true, clip: { x: 0, y: top - 8, width: 1200, height: 1200 } });
    assertKeptToItself(base, seen);
  });
}

export async function checkSwaggerUnderPrefix(browser, base) {
  const prefix = '/api/v1/namespaces/opencost/services/kubecent:http/proxy';
  await withServer(proxy(base, prefix), (front) => withPage(browser, {}, async (page, seen) => {
    const { url, answer } = await tryItOut(page, front + prefix);
    assert.equal(url.split('?')[0], `${front}${prefix}/api/v1/cost/namespaces`);
    assert.ok(answer.item_count > 0);
    assertKeptToItself(front + prefix, seen);
  }));
}

// What an ingress with a path, or `kubectl proxy`, makes of the service.
function proxy(base, prefix) {
  return http.createServer(async (request, response) => {
    if (!request.url.startsWith(`${prefix}/`)) {
      response.writeHead(404).end();
      return;
    }
    const upstream = http.request(base + request.url.slice(prefix.length), {
      method: request.method, headers: { ...request.headers, host: new URL(base).host },
    }, (answer) => answer.pipe(response.writeHead(answer.statusCode, answer.headers)));
    upstream.on('error', () => response.destroy());
    request.pipe(upstream);
  });
}

// The page that needs no script: alone in a binary without Swagger UI, and in place of it where no script may run.
export async function checkPlain(browser, base) {
  await withPage(browser, { javaScriptEnabled: false }, async (page, seen) => {
    await page.goto(`${base}/api/docs`);
    assert.equal(await page.locator('h1').innerText(), 'Kubecent backend API');
    assert.ok(await page.locator('h1').isVisible());
    assertKeptToItself(base, seen);
    await page.getByRole('link', { name: '/api/v1/savings/recommendations' }).click();
    assert.ok(JSON.parse(await page.locator('body').innerText()).recommendations.length > 0);
    assert.equal(page.url(), `${base}/api/v1/savings/recommendations`);
  });
}
