// SPDX-License-Identifier: Apache-2.0
// Debian's chromium, cut off from everything but this machine.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const QUIET = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--disable-domain-reliability', '--no-pings', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

export function findChromium() {
  return process.env.PATH.split(':').flatMap((folder) => ['chromium', 'chromium-browser'].map((name) => path.join(folder, name)))
    .find((file) => fs.existsSync(file));
}

export async function withBrowser(executablePath, use) {
  const require = createRequire(path.join(process.env.KUBECENT_PACKAGES, 'package.json'));
  const { chromium } = require('playwright-core');
  // The sandbox refuses to work for root, as which containers in CI run.
  const sandbox = process.getuid() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath, args: [...QUIET, ...sandbox] });
  try {
    await use(browser);
  } finally {
    await browser.close();
  }
}

// A page of a context of its own, and what was noticed meanwhile: every request, and every complaint of the console.
export async function withPage(browser, options, use) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const seen = { requests: [], complaints: [] };
  context.on('request', (request) => seen.requests.push(request.url()));
  context.on('weberror', (error) => seen.complaints.push(error.error().stack));
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()))
      seen.complaints.push(`${message.text()} (${message.location().url})`);
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  try {
    await use(page, seen);
  } finally {
    await context.close();
  }
}
