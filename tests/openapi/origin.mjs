// SPDX-License-Identifier: Apache-2.0
// An OpenCost that is well and does with queries what its mode says: answer, reject or hang.
import fs from 'node:fs';
import http from 'node:http';
import { withServer } from '../support/backend.mjs';

const FIXTURE = new URL('../fixtures/opencost/encoded/oc2024-namespace_pod-1d.json', import.meta.url);

export function withOrigin(mode, use) {
  const origin = { mode };
  const body = fs.readFileSync(FIXTURE);
  const server = http.createServer((request, response) => {
    if (request.url === '/healthz')
      response.end();
    else if (origin.mode === 'reject')
      response.writeHead(400, { 'Content-Type': 'text/plain' }).end('Invalid \'window\' parameter');
    else if (origin.mode === 'answer')
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(body);
  });
  return withServer(server, (url) => use(Object.assign(origin, { url })));
}
