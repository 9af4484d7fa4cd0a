// SPDX-License-Identifier: Apache-2.0
// A frontend on another origin: what it may read, and what its questions cost.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { eventually, withServer } from '../support/backend.mjs';
import { withPage } from './chromium.mjs';

const COSTS = ['/api/v1/cost/namespaces', '/api/v1/cost/pods', '/api/v1/cost/monthly', '/api/v1/savings/recommendations'];
const ROUTES = [...COSTS, '/api/v1/health'];
const FILES = { '/': ['frontend.html', 'text/html'], '/frontend.js': ['frontend.js', 'text/javascript'] };

function frontend() {
  return http.createServer((request, response) => {
    const [file, type] = FILES[request.url] ?? [];
    if (!file)
      response.writeHead(404).end();
    else
      response.writeHead(200, { 'Content-Type': type }).end(fs.readFileSync(new URL(file, import.meta.url)));
  });
}

// Calls use(ask, seen); ask(base, targets, cache) gives the lines that the frontend shows.
function withFrontend(browser, use) {
  return withServer(frontend(), (origin) => withPage(browser, {}, async (page, seen) => {
    await page.goto(origin);
    await use(async (base, targets, cache = 'default') => {
      await page.evaluate((args) => window.show(...args), [base, targets, cache]);
      return page.locator('#answers li').allInnerTexts();
    }, seen);
  }));
}

// How often the backend answered so, once it has written the last of its lines.
async function answered(backend, method, status, count) {
  const matching = () => backend.events('http.request')
    .filter((event) => event.method === method && event.status === status && ROUTES.includes(event.path)).length;
  await eventually(() => matching() >= count, `${count} answers of ${method} with ${status}`);
  assert.equal(matching(), count);
}

export async function checkReading(browser, base, backend) {
  await withFrontend(browser, async (ask, seen) => {
    const first = await ask(base, ROUTES);
    for (const [i, route] of ROUTES.entries())
      assert.match(first[i], new RegExp(`^${route}: 200 {`));
    await answered(backend, 'OPTIONS', 200, ROUTES.length);
    await answered(backend, 'GET', 200, ROUTES.length);

    // Costs are still fresh and health is never kept; leave to ask it is remembered.
    assert.deepEqual(await ask(base, ROUTES), first);
    await answered(backend, 'GET', 200, ROUTES.length + 1);
    await answered(backend, 'OPTIONS', 200, ROUTES.length);
    await answered(backend, 'GET', 304, 0);

    assert.deepEqual(await ask(base, ROUTES, 'no-cache'), first);
    await answered(backend, 'GET', 200, ROUTES.length + 2);
    await answered(backend, 'GET', 304, COSTS.length);
    assert.deepEqual(seen.complaints, []);
  });
}

export async function checkInvalid(browser, base) {
  await withFrontend(browser, async (ask) => {
    const [limit, both] = await ask(base, ['/api/v1/savings/recommendations?limit=51', '/api/v1/cost/pods?window=x&idle=perhaps']);
    assert.match(limit, /: 422 Input should be less than or equal to 50$/);
    assert.match(both, /: 422 Input should be today, .*; Input should be a valid boolean/);
  });
}

export async function checkUnavailable(browser, base) {
  await withFrontend(browser, async (ask) => {
    for (const line of await ask(base, COSTS))
      assert.match(line, /: 503 Failed to fetch cost data from OpenCost: connection failed$/);
  });
}
