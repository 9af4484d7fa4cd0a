// SPDX-License-Identifier: Apache-2.0
// What the service says of itself: its settings and their bounds, and, with demo data, its answers.
import { spawn } from 'node:child_process';
import net from 'node:net';
import process from 'node:process';
import { run } from './helm.mjs';

const BINARY = process.env.KUBECENT_BINARY;
const BARE = { PATH: process.env.PATH };
// No .env of whoever runs the tests may join in.
const NO_FILE = ['--env-file', '/dev/null'];

async function output(args, env = {}) {
  const { status, stdout, stderr } = await run(BINARY, args, { env: { ...BARE, ...env } });
  return { status, text: stdout, errors: stderr };
}

export async function version() {
  return (await output(['--version'])).text.match(/\d+\.\d+\.\d+/)[0];
}

export async function defaultSettings() {
  const { text } = await output([...NO_FILE, '--print-config']);
  return Object.fromEntries(text.trim().split('\n').map((line) => line.match(/^([A-Z_]+)=(.*)$/).slice(1)));
}

// From the help's own words: `NAME  What it does. (1 to 300, default 15)`.
export async function settingBounds() {
  const { text } = await output(['--help']);
  const bounds = {};
  for (const [, name, description] of text.matchAll(/^ {2}([A-Z][A-Z_]+) {2,}((?:.|\n {10,})*)/gm)) {
    const range = description.replace(/\s+/g, ' ').match(/\((-?\d+) to (\d+), /);
    if (range)
      bounds[name] = { minimum: Number(range[1]), maximum: Number(range[2]) };
  }
  return bounds;
}

// Null when the service would start with these settings, else its complaint.
export async function complaint(settings) {
  const { status, text, errors } = await output([...NO_FILE, '--check-config'], settings);
  return status === 0 ? null : `${text}${errors}`.trim();
}

export async function withDemo(use, settings = {}) {
  const port = await freePort();
  const child = spawn(BINARY, [...NO_FILE, '--demo'], {
    env: { ...BARE, HOST: '127.0.0.1', PORT: String(port), ...settings },
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    const base = `http://127.0.0.1:${port}`;
    await ready(base, ended);
    return await use(base, { HOST: '127.0.0.1', PORT: String(port) });
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

export async function healthcheck(env) {
  return (await output([...NO_FILE, '--healthcheck'], env)).status;
}

async function ready(base, ended) {
  const gone = ended.then((status) => {
    throw new Error(`the service ended with status ${status}`);
  });
  const asked = (async () => {
    for (;;) {
      const answer = await fetch(`${base}/readyz`).catch(() => null);
      if (answer?.status === 200)
        return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  await Promise.race([asked, gone]);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
