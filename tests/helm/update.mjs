// SPDX-License-Identifier: Apache-2.0
// Writes what is made from the chart: the README's tables and config/kubernetes.yaml.
import fs from 'node:fs';
import { PLAIN_FILE, plainManifest } from './plain_manifest.mjs';
import { README_FILE, readmeInStep } from './values.mjs';

fs.writeFileSync(README_FILE, readmeInStep(fs.readFileSync(README_FILE, 'utf8')));
fs.writeFileSync(PLAIN_FILE, await plainManifest('4'));
