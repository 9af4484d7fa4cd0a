// SPDX-License-Identifier: Apache-2.0
// The real binary, started as a user would start it, for tests written in JavaScript.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';

const BINARY = process.env.KUBECENT_BINARY;
const DEADLINE_MS = 20_000;

// Calls use(base, backend) while it serves at the address `base`; demands that it stops in good order.
export async function withBackend({ args = [], settings = {}, until = '/readyz' }, use) {
  const port = await freePort();
  const backend = new Backend(port, args, settings);
  const base = `http://127.0.0.1:${port}`;
  try {
    await backend.answers(`${base}${until}`);
    await use(base, backend);
  } catch (error) {
    backend.kill();
    throw new Error(`${error.stack}\nThe backend said last:\n${backend.lines.slice(-15).join('\n')}`);
  }
  await backend.stop();
}

class Backend {
  #child;
  #ended;

  constructor(port, args, settings) {
    this.lines = [];
    // No .env of whoever runs the tests may join in.
    this.#child = spawn(BINARY, ['--env-file', '/dev/null', ...args], {
      env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: String(port), OPENCOST_RETRY_WAIT_MS: '10', ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      this.#collect(stream);
    this.#ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.once('error', (error) => this.lines.push(String(error)));
    process.once('exit', () => this.kill());
  }

  #collect(stream) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      this.lines.push(...lines);
    });
  }

  // Log events of that name.
  events(name) {
    return this.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)).filter((event) => event.event === name);
  }

  async answers(url) {
    await eventually(async () => {
      if (this.#child.exitCode !== null)
        throw new Error(`the backend ended with status ${this.#child.exitCode}`);
      return (await fetch(url).catch(() => null)) !== null;
    }, `an answer at ${url}`);
    if (url.endsWith('/readyz'))
      await eventually(async () => (await fetch(url)).status === 200, 'readiness');
  }

  async stop() {
    this.#child.kill('SIGTERM');
    const late = new Promise((resolve) => setTimeout(resolve, DEADLINE_MS, 'late').unref());
    const status = await Promise.race([this.#ended, late]);
    this.kill();
    if (status !== 0)
      throw new Error(`the backend stopped with status ${status}\n${this.lines.slice(-15).join('\n')}`);
  }

  kill() {
    if (this.#child.exitCode === null)
      this.#child.kill('SIGKILL');
  }
}

// The first truthy value of condition().
export async function eventually(condition, what) {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const value = await condition();
    if (value)
      return value;
    if (Date.now() > end)
      throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// From below the range the kernel takes for outgoing connections: one from within it may be taken by a client of our own
// between choosing and binding.
export async function freePort() {
  const first = Number(fs.readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)[0]);
  for (;;) {
    const port = Math.floor(first / 2 + (Math.random() * first) / 2);
    if (await isFree(port))
      return port;
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

// Listens on a free port of 127.0.0.1 while use(base) runs.
export async function withServer(server, use) {
  const port = await freePort();
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
