// SPDX-License-Identifier: Apache-2.0
// config/kubernetes.yaml is what the chart renders with its defaults, for those who do without Helm. Only the labels
// that say Helm looks after it are left out.
import path from 'node:path';
import { CHART, render } from './helm.mjs';

export const PLAIN_FILE = path.join(CHART, '../../config/kubernetes.yaml');

const HEADER = `# SPDX-License-Identifier: Apache-2.0
# kubecent-backend without Helm: kubectl apply --namespace opencost --filename config/kubernetes.yaml
# Rendered from the defaults of helm/kubecent; change those and run \`cmake --build build/debug --target update_chart\`.
`;

export async function plainManifest(major) {
  const rendered = await render(major, ['--skip-tests']);
  return HEADER + rendered.split('\n')
    .filter((line) => !/^# Source: |^ +(app\.kubernetes\.io\/managed-by|helm\.sh\/chart): /.test(line))
    .join('\n');
}
