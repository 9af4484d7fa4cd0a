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

// One compilation for all documents, because starting the compiler is what takes time. `planted` are faulty ones, which
// show that faults would be seen.
export async function unknownFields(documents, planted) {
  const tools = process.env.KUBECENT_TOOLS;
  fs.writeFileSync(path.join(tools, 'documents.ts'), typescript(documents));
  fs.writeFileSync(path.join(tools, 'planted.ts'), typescript(planted));
  fs.writeFileSync(path.join(tools, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: COMPILER, files: ['documents.ts', 'planted.ts'] }));
  const { stdout } = await run(process.execPath,
    [path.join(tools, 'node_modules/typescript/bin/tsc'), '--project', '.'], { cwd: tools });
  const isPlanted = (line) => line.startsWith('planted.ts');
  const lines = stdout.split('\n').filter((line) => line.trim() !== '');
  return { faults: lines.filter((line) => !isPlanted(line)), noticed: lines.filter(isPlanted) };
}

function typescript(documents) {
  const different = new Map(documents.map((document) => [JSON.stringify(document), document]));
  return [...different.values()].map((document, index) =>
    `import type { I${document.kind} as T${index} } from '${moduleOf(document)}';\n` +
    `export const o${index}: T${index} = ${JSON.stringify(document, null, 1)};\n`).join('');
}
