// SPDX-License-Identifier: Apache-2.0
// The document against a linter, and every kind of answer that a running binary gives against the document.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, freePort, withBackend } from '../support/backend.mjs';
import { Checks } from '../support/checks.mjs';
import { Contract } from './document.mjs';
import { withOrigin } from './origin.mjs';

const PACKAGES = process.env.KUBECENT_PACKAGES;
const NAMESPACES = '/api/v1/cost/namespaces';
const PODS = '/api/v1/cost/pods';
const MONTHLY = '/api/v1/cost/monthly';
const RECOMMENDATIONS = '/api/v1/savings/recommendations';
const TOKEN = 'a-token-of-the-tests';
const COSTS = [NAMESPACES, PODS, MONTHLY, RECOMMENDATIONS];

const PROBLEM = { headers: { Accept: 'application/problem+json' } };

const checks = new Checks();

// Queries of the demo cluster. `rows`: the members that each row has, `all` that are documented or those `required`.
const SUCCESSES = [
  [NAMESPACES, '', { rows: 'required' }],
  [NAMESPACES, 'detail=true', { rows: 'all' }],
  [NAMESPACES, 'idle=true', { rows: 'required' }],
  [NAMESPACES, 'idle=true&detail=true&window=24h', { rows: 'all' }],
  [NAMESPACES, 'window=2026-10-01T00:00:00Z,2026-10-08T00:00:00Z', {}],
  [PODS, '', { rows: 'required' }],
  [PODS, 'detail=true', { rows: 'all' }],
  [PODS, 'idle=true', { rows: 'required' }],
  [PODS, 'idle=true&detail=true', { rows: 'all' }],
  [PODS, 'namespace=kube-system', {}],
  [PODS, 'namespace=none-such&detail=true', {}],
  [MONTHLY, '', {}],
  [MONTHLY, 'months=1', {}],
  [MONTHLY, 'months=6', {}],
  [RECOMMENDATIONS, '', {}],
  [RECOMMENDATIONS, 'limit=50', {}],
  ['/api/v1/health', '', {}],
  ['/livez', '', {}],
  ['/livez', 'verbose', {}],
  ['/readyz', '', {}],
  ['/readyz', 'verbose', {}],
  ['/health', '', {}],
  ['/metrics', '', {}],
];

const FAULTS = [
  [NAMESPACES, 'window=7days'],
  [NAMESPACES, 'window=367d&idle=perhaps&detail=2'],
  [PODS, 'window=&idle='],
  [MONTHLY, 'months=0'],
  [MONTHLY, 'months=13'],
  [MONTHLY, 'months=six'],
  [MONTHLY, `months=${'9'.repeat(5000)}`],
  [RECOMMENDATIONS, 'limit=51'],
];

function lint(document) {
  const file = path.join(PACKAGES, 'openapi.json');
  const config = fileURLToPath(new URL('redocly.yaml', import.meta.url));
  const cli = path.join(PACKAGES, 'node_modules/@redocly/cli/bin/cli.js');
  fs.writeFileSync(file, JSON.stringify(document, null, 2));
  const { stdout, stderr } = spawnSync(process.execPath, [cli, 'lint', '--config', config, '--format', 'json', file], {
    encoding: 'utf8',
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
  });
  const { totals, problems } = JSON.parse(stdout || JSON.stringify({ totals: stderr }));
  if (totals.errors !== 0 || totals.warnings !== 0)
    throw new Error(JSON.stringify(problems ?? totals, null, 2));
}

async function checkDemo(base) {
  const document = await (await fetch(`${base}/api/openapi.json`)).json();
  const contract = new Contract(document, PACKAGES);
  await checks.run('the linter finds no error and no warning', () => lint(document));
  await checks.run('every schema is sound, and its examples fit', () => contract.checkExamples());
  for (const [route, query, { rows }] of SUCCESSES) {
    const target = query ? `${route}?${query}` : route;
    await checks.run(`200 ${target}`, async () => {
      const body = await contract.check(base, route, target, 200);
      if (rows)
        contract.checkRows(route, body, rows);
    });
  }
  for (const [route, query] of FAULTS) {
    await checks.run(`422 ${route}?${query.slice(0, 60)}`, () => contract.check(base, route, `${route}?${query}`, 422));
    await checks.run(`422 ${route}?${query.slice(0, 60)}, problem details`,
      () => contract.check(base, route, `${route}?${query}`, 422, PROBLEM));
  }
  for (const route of COSTS)
    await checks.run(`304 ${route}`, () => contract.check(base, route, route, 304, { headers: { 'If-None-Match': '*' } }));
  for (const route of Object.keys(document.paths))
    await checks.run(`405 ${route}`, () => contract.checkError(base, route, 405, { method: 'POST' }));
  for (const target of ['/', '/api', '/api/v1/cost', '/api/docs/none-such.js'])
    await checks.run(`404 ${target}`, () => contract.checkError(base, target, 404));
  await checks.run('400 two lengths', () => contract.checkAmbiguous(base, '/api/v1/health'));
  return contract;
}

async function checkUnreachable(contract, base) {
  for (const route of COSTS)
    for (const options of [{}, PROBLEM])
      await checks.run(`503 ${route} ${options.headers?.Accept ?? ''}`, () => contract.check(base, route, route, 503, options));
  await checks.run('200 /api/v1/health, degraded', async () => {
    const { status } = await contract.check(base, '/api/v1/health', '/api/v1/health', 200);
    if (status !== 'degraded')
      throw new Error(`the status is ${status}`);
  });
}

async function checkRejected(contract, base) {
  for (const route of COSTS)
    for (const options of [{}, PROBLEM])
      await checks.run(`400 ${route} ${options.headers?.Accept ?? ''}`, () => contract.check(base, route, route, 400, options));
}

async function checkHanging(contract, base) {
  for (const target of ['/readyz', '/readyz?verbose'])
    await checks.run(`503 ${target}`, () => contract.check(base, '/readyz', target, 503));
}

async function checkStale(contract, base, origin) {
  await checks.run(`200 ${NAMESPACES}, stale`, async () => {
    await contract.check(base, NAMESPACES, NAMESPACES, 200);
    origin.mode = 'reject';
    await eventually(async () => (await fetch(base + NAMESPACES)).headers.get('X-Cache') === 'STALE', 'a stale answer');
    await contract.check(base, NAMESPACES, NAMESPACES, 200);
  });
}

// What says of itself that it needs a token needs one, and nothing else does.
async function checkGuarded(base) {
  const headers = { Authorization: `Bearer ${TOKEN}` };
  const document = await (await fetch(`${base}/api/openapi.json`, { headers })).json();
  const contract = new Contract(document, PACKAGES);
  await checks.run('with tokens, the linter finds no error and no warning', () => lint(document));
  await checks.run('with tokens, every schema is sound, and its examples fit', () => contract.checkExamples());
  for (const [route, { get }] of Object.entries(document.paths)) {
    await checks.run(`200 ${route}, with a token`, () => contract.check(base, route, route, 200, { headers }));
    const status = get.security ? 200 : 401;
    await checks.run(`${status} ${route}, without`, () => contract.check(base, route, route, status));
    if (status === 401)
      await checks.run(`401 ${route}, problem details`, () => contract.check(base, route, route, 401, PROBLEM));
  }
}

let contract;
await withBackend({ args: ['--demo'] }, async (base) => {
  contract = await checkDemo(base);
});
await withBackend({ settings: { OPENCOST_URL: `http://127.0.0.1:${await freePort()}` } },
  (base) => checkUnreachable(contract, base));
await withOrigin('reject', (origin) =>
  withBackend({ settings: { OPENCOST_URL: origin.url } }, (base) => checkRejected(contract, base)));
await withOrigin('hang', (origin) =>
  withBackend({ settings: { OPENCOST_URL: origin.url }, until: '/livez' }, (base) => checkHanging(contract, base)));
await withOrigin('answer', (origin) =>
  withBackend({ settings: { OPENCOST_URL: origin.url, CACHE_TTL: '1', CACHE_STALE_IF_ERROR: '3600' } },
    (base) => checkStale(contract, base, origin)));
const tokens = path.join(PACKAGES, 'tokens');
fs.writeFileSync(tokens, TOKEN);
await withBackend({ args: ['--demo'], settings: { AUTH_TOKEN_FILE: tokens } }, checkGuarded);
checks.finish();
