// SPDX-License-Identifier: Apache-2.0
// Kubernetes' own schemas, without a cluster. JSON Schema sees wrong types and formats but lets unknown fields pass;
// TypeScript's excess-property check sees those.
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { run } from './helm.mjs';

const PACKAGES = {
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api',
};

const COMPILER = {
  module: 'nodenext', moduleResolution: 'nodenext', noEmit: true, skipLibCheck: true, strict: true, target: 'es2022', types: [],
};

function moduleOf({ apiVersion, kind }) {
  return `${PACKAGES[apiVersion.split('/')[0]] ?? 'kubernetes-models'}/${apiVersion}/${kind}`;
}

export async function typeFaults(documents) {
  const faults = [];
  for (const document of documents) {
    const models = await import(moduleOf(document));
    try {
      new models[document.kind](document).validate();
    } catch (error) {
      faults.push(`${document.kind} ${document.metadata?.name}: ${error.message}`);
    }
  }
  return faults;
}

// One compilation for all documents: starting the compiler is what takes time.
export async function unknownFields(documents) {
  const tools = process.env.KUBECENT_TOOLS;
  const different = [...new Map(documents.map((document) => [JSON.stringify(document), document])).values()];
  const source = different.map((document, index) =>
    `import type { I${document.kind} as T${index} } from '${moduleOf(document)}';\n` +
    `export const o${index}: T${index} = ${JSON.stringify(document, null, 1)};\n`);
  fs.writeFileSync(path.join(tools, 'documents.ts'), source.join(''));
  fs.writeFileSync(path.join(tools, 'tsconfig.json'), JSON.stringify({ compilerOptions: COMPILER, files: ['documents.ts'] }));
  const { status, stdout } = await run(process.execPath,
    [path.join(tools, 'node_modules/typescript/bin/tsc'), '--project', '.'], { cwd: tools });
  return status === 0 ? [] : stdout.trim().split('\n');
}
