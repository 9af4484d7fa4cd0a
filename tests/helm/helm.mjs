// SPDX-License-Identifier: Apache-2.0
// The real helm, in both majors that are about.
import { execFile } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { parseAllDocuments } from 'yaml';

export const CHART = process.env.KUBECENT_CHART;
const TOOLS = process.env.KUBECENT_TOOLS;

export const MAJORS = ['3', '4'];

export function run(file, args, options = {}) {
  return new Promise((resolve) => {
    execFile(file, args, { maxBuffer: 1 << 26, ...options }, (error, stdout, stderr) => {
      resolve({ status: error ? (error.code ?? error.signal) : 0, stdout, stderr });
    });
  });
}

export function helm(major, ...args) {
  return helmIn(process.cwd(), major, ...args);
}

export function helmIn(cwd, major, ...args) {
  const home = path.join(TOOLS, 'helm-home');
  return run(path.join(TOOLS, `helm-${major}`, 'helm', 'helm'), args, {
    cwd,
    env: { ...process.env, HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home, KUBECONFIG: '/dev/null' },
  });
}

export async function render(major, args = [], { release = 'kubecent', chart = CHART } = {}) {
  const { status, stdout, stderr } = await helm(major, 'template', release, chart, ...args);
  if (status !== 0)
    throw new Error(`helm ${major} template ${args.join(' ')}: ${stderr.trim() || `ended by ${status}`}`);
  return stdout;
}

// As Kubernetes reads YAML: version 1.1, where 0440 is octal and yes is true.
export function documents(text) {
  return parseAllDocuments(text, { version: '1.1', merge: true, uniqueKeys: true })
    .map((document) => {
      if (document.errors.length > 0)
        throw document.errors[0];
      return document.toJS();
    })
    .filter(Boolean);
}
