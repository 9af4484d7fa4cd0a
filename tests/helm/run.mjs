// SPDX-License-Identifier: Apache-2.0
// Checks the chart with the real helm, Kubernetes' schemas and the service itself. chart_test.sh brings the tools.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parse, stringify } from 'yaml';
import { alertFaults, familiesOf } from './alerts.mjs';
import * as backend from './backend.mjs';
import { CASES } from './cases.mjs';
import { Checks, expectNone, expectSameText, inParallel } from './harness.mjs';
import { CHART, MAJORS, documents, helm, helmIn, render, run } from './helm.mjs';
import { broken } from './invariants.mjs';
import { byKind, differences, undeclared } from './manifests.mjs';
import { PLAIN_FILE, plainManifest } from './plain_manifest.mjs';
import { BY_CONTRADICTION, BY_SCHEMA } from './refusals.mjs';
import { typeFaults, unknownFields } from './schemas.mjs';
import { README_FILE, VALUES_FILE, at, documentedValues, readmeInStep, schema, schemaOf, settablePaths } from './values.mjs';

const TOOLS = process.env.KUBECENT_TOOLS;
const VALUES_DIR = process.env.KUBECENT_CASES;
const OLDEST_KUBERNETES = '1.25.0';
const LONGEST_RELEASE = `a${'b'.repeat(52)}`;

const cases = Object.keys(CASES);
const EXAMPLES_DIR = path.join(CHART, 'examples');
const examples = fs.readdirSync(EXAMPLES_DIR);
const valuesFile = (name) => path.join(examples.includes(`${name}.yaml`) ? EXAMPLES_DIR : VALUES_DIR, `${name}.yaml`);
const withValues = (name) => ['--values', valuesFile(name)];

const checks = new Checks();
const defaultText = await render('4');
const defaults = documents(defaultText);
const failures = [];
const texts = Object.fromEntries((await inParallel(cases, (name) =>
  render('4', withValues(name)).then((text) => [[name, text]], (error) => {
    failures.push(error.message);
    return [];
  }))).flat());
const names = Object.keys(texts);
const rendered = Object.fromEntries(names.map((name) => [name, documents(texts[name])]));
const everything = [...defaults, ...Object.values(rendered).flat()];
const knownSettings = Object.keys(await backend.defaultSettings());

checks.add('each file of values is a case, and each case a file', () => {
  assert.deepEqual([...fs.readdirSync(VALUES_DIR), ...examples].sort(), cases.map((name) => `${name}.yaml`).sort());
});

checks.add('each case renders', () => expectNone(failures));

for (const major of MAJORS) {
  checks.add(`helm ${major} lints the chart strictly, with the defaults and with each case`, async () => {
    const results = await inParallel([[], ...names.map(withValues)], (args) =>
      helm(major, 'lint', '--strict', CHART, ...args));
    expectNone(results.filter(({ status }) => status !== 0).map(({ stdout, stderr }) => stdout + stderr));
  });
}

checks.add('both majors of helm render the same, byte for byte', async () => {
  expectSameText(await render('3'), defaultText);
  const faults = await inParallel(names, async (name) =>
    await render('3', withValues(name)) === texts[name] ? [] : [`different with ${name}`]);
  expectNone(faults.flat());
});

checks.add('Kubernetes accepts the types of all that is rendered, and a wrong one would be noticed', async () => {
  const wrong = structuredClone(byKind(defaults).Deployment);
  wrong.spec.replicas = 'one';
  expectNone(await typeFaults(everything));
  assert.equal((await typeFaults([wrong])).length, 1);
});

checks.add('Kubernetes knows all the fields that are rendered, and a misspelt one would be noticed', async () => {
  const misspelt = structuredClone(byKind(defaults).Service);
  misspelt.spec.ports[0].prot = 8000;
  const { faults, noticed } = await unknownFields(everything, [misspelt]);
  expectNone(faults);
  assert.ok(noticed.some((line) => /\bprot\b/.test(line)), 'the misspelt field passed');
});

checks.add('the defaults hold what every rendering must hold', async () => {
  expectNone(await broken(byKind(defaults), knownSettings));
});

for (const name of names) {
  checks.add(`${name}: changes what it should, nothing else, and keeps what must hold`, async () => {
    const kinds = byKind(rendered[name]);
    expectNone(undeclared(differences(byKind(defaults), kinds), CASES[name].changes));
    expectNone(await broken(kinds, knownSettings));
    CASES[name].holds?.(kinds);
  });
}

checks.add('the network policy lets out to the port of OpenCost\'s address', async () => {
  const ports = { 'http://opencost': 80, 'http://opencost:9003/model': 9003, 'https://opencost/model': 443,
    'https://user:word@opencost': 443, 'http://[fd00::1]/': 80, 'https://[fd00::1]:8443': 8443 };
  const faults = await inParallel(Object.entries(ports), async ([url, port]) => {
    const { NetworkPolicy } = byKind(documents(await render('4',
      ['--set', `networkPolicy.enabled=true,opencost.url=${url}`, '--show-only', 'templates/networkpolicy.yaml'])));
    const actual = NetworkPolicy.spec.egress[1].ports[0].port;
    return actual === port ? [] : [`${url}: ${actual}`];
  });
  expectNone(faults.flat());
});

checks.add('the network policy lets out to the ports of Redis\' address', async () => {
  const ports = { 'redis://cache': [6379], 'redis://:word@cache:7000/3': [7000], 'rediss://u:p%3A1@cache:6380': [6380],
    'redis://[fd00::1]': [6379], 'redis://[fd00::1]:7001/0': [7001], 'unix:///run/redis.sock': undefined,
    'redis+sentinel://a:26379\\,b:26380\\,c/primary/1': [26379, 26380, 6379] };
  const faults = await inParallel(Object.entries(ports), async ([url, expected]) => {
    const { NetworkPolicy } = byKind(documents(await render('4',
      ['--set', `networkPolicy.enabled=true,redis.url=${url}`, '--show-only', 'templates/networkpolicy.yaml'])));
    const actual = NetworkPolicy.spec.egress[2]?.ports.map(({ port }) => port);
    return String(actual) === String(expected) ? [] : [`${url}: ${actual}`];
  });
  expectNone(faults.flat());
});

checks.add('each value is set by a case', () => {
  const set = cases.map((name) => parse(fs.readFileSync(valuesFile(name), 'utf8')));
  expectNone(settablePaths()
    .filter((value) => !set.some((values) => at(values, value.split('.')) !== undefined))
    .map((value) => `no case sets ${value}`));
});

checks.add('the longest release name leaves every name and label within bounds', async () => {
  const kinds = byKind(documents(await render('4', [], { release: LONGEST_RELEASE })));
  expectNone(await broken(kinds, knownSettings));
});

checks.add('the oldest Kubernetes gets the same as the newest, and an older one is refused', async () => {
  expectSameText(await render('4', ['--kube-version', OLDEST_KUBERNETES]), defaultText);
  const { status, stderr } = await helm('4', 'template', 'x', CHART, '--kube-version', '1.24.0');
  assert.notEqual(status, 0);
  assert.match(stderr, /kubeVersion: >=1\.25/);
});

// Each major reads the schema with a library of its own; the templates are the same to both.
for (const [by, major, refusals] of
  [['schema', '3', BY_SCHEMA], ['schema', '4', BY_SCHEMA], ['templates', '4', BY_CONTRADICTION]]) {
  checks.add(`helm ${major}: what must not reach a cluster is refused by the ${by}`, async () => {
    const faults = await inParallel(Object.entries(refusals), async ([what, [values, complaint]]) => {
      const { status, stderr } = await helm(major, 'template', 'x', CHART, '--set', values);
      if (status === 0)
        return [`${what}: rendered`];
      return complaint.test(stderr) ? [] : [`${what}: refused for another reason: ${stderr.trim()}`];
    });
    expectNone(faults.flat());
  });
}

checks.add('what the chart gives as a default is the service\'s own, but for what it says', async () => {
  const { ConfigMap } = byKind(defaults);
  const own = await backend.defaultSettings();
  const changed = Object.keys(ConfigMap.data).filter((name) => ConfigMap.data[name] !== own[name]);
  assert.deepEqual(changed.sort(), ['CACHE_STALE_IF_ERROR', 'ENVIRONMENT', 'OPENCOST_URL', 'SHUTDOWN_DELAY']);
});

checks.add('the schema\'s bounds are the service\'s', async () => {
  const template = fs.readFileSync(path.join(CHART, 'templates/_settings.tpl'), 'utf8');
  const bounds = await backend.settingBounds();
  const root = schema();
  const compared = [];
  expectNone([...template.matchAll(/"([A-Z_]+)" \$v\.([\w.]+)/g)].flatMap(([, name, value]) => {
    if (!(name in bounds))
      return [];
    compared.push(name);
    const { minimum, maximum } = schemaOf(root, value.split('.'));
    const expected = bounds[name];
    return minimum === expected.minimum && maximum === expected.maximum ? [] :
      [`${value}: ${minimum} to ${maximum}, ${name}: ${expected.minimum} to ${expected.maximum}`];
  }));
  assert.ok(compared.length >= 18, `only ${compared} were compared`);
});

checks.add('the documents\' commands install the chart, and so do the examples\'', async () => {
  const root = path.join(CHART, '../..');
  const files = ['README.md', 'helm/kubecent/README.md', ...examples.map((name) => `helm/kubecent/examples/${name}`)];
  const commands = files.flatMap((file) => fs.readFileSync(path.join(root, file), 'utf8').replace(/\\\n/g, ' ')
    .match(/\bhelm install [^\n`]+/g) ?? []);
  assert.ok(commands.length >= 4, `only ${commands}`);
  // Helm 3 asks for a cluster all the same.
  const faults = await inParallel(commands, async (command) => {
    const { status, stderr } = await helmIn(root, '4', ...command.trim().split(/\s+/).slice(1), '--dry-run=client');
    return status === 0 ? [] : [`${command}: ${stderr.trim()}`];
  });
  expectNone(faults.flat());
});

checks.add('each value is in the schema, and each of the schema in the values', () => {
  const root = schema();
  const values = parse(fs.readFileSync(VALUES_FILE, 'utf8'));
  const listed = (node, keys) => Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
    child.additionalProperties === false && child.properties ? listed(child, [...keys, key]) : [[...keys, key]]);
  const whole = new Set(settablePaths());
  expectNone([
    ...[...whole].filter((value) => !schemaOf(root, value.split('.'))).map((value) => `the schema lacks ${value}`),
    ...listed(root, []).filter((keys) => !['global', 'enabled'].includes(keys[0]))
      .filter((keys) => at(values, keys) === undefined && !whole.has(keys.slice(0, -1).join('.')))
      .map((keys) => `the values lack ${keys.join('.')}`),
  ]);
});

checks.add('each value is documented', () => {
  const documented = new Set(documentedValues().map(({ keys }) => keys.join('.')));
  expectNone(settablePaths().filter((value) => !documented.has(value)).map((value) => `undocumented: ${value}`));
});

checks.add('README.md is in step with the values (else build the target update_chart)', () => {
  const readme = fs.readFileSync(README_FILE, 'utf8');
  expectSameText(readme, readmeInStep(readme));
});

checks.add('config/kubernetes.yaml is what the defaults render (else build the target update_chart)', async () => {
  expectSameText(fs.readFileSync(PLAIN_FILE, 'utf8'), await plainManifest('4'));
});

checks.add('config/kubernetes.yaml is whole, and claims nothing for Helm', async () => {
  const plain = documents(fs.readFileSync(PLAIN_FILE, 'utf8'));
  assert.deepEqual(plain.map(({ kind }) => kind).sort(), ['ConfigMap', 'Deployment', 'Service', 'ServiceAccount']);
  expectNone(await typeFaults(plain));
  assert.doesNotMatch(JSON.stringify(plain), /helm/i);
});

checks.add('the chart is of the service\'s version', async () => {
  const { appVersion } = parse(fs.readFileSync(path.join(CHART, 'Chart.yaml'), 'utf8'));
  assert.equal(appVersion, await backend.version());
});

checks.add('the packaged chart renders the same, also below another chart with globals', async () => {
  const work = fs.mkdtempSync(path.join(TOOLS, 'package-'));
  try {
    const parent = path.join(work, 'parent');
    fs.mkdirSync(path.join(parent, 'charts'), { recursive: true });
    fs.writeFileSync(path.join(parent, 'Chart.yaml'), stringify({ apiVersion: 'v2', name: 'parent', version: '1.0.0',
      dependencies: [{ name: 'kubecent', version: '0.1.0', condition: 'kubecent.enabled' }] }));
    fs.writeFileSync(path.join(parent, 'values.yaml'), stringify({ global: { region: 'west' }, kubecent: { enabled: true } }));
    const { status, stderr } = await helm('4', 'package', CHART, '--destination', path.join(parent, 'charts'));
    assert.equal(status, 0, stderr);
    const [archive] = fs.readdirSync(path.join(parent, 'charts'));
    expectSameText(await render('4', [], { chart: path.join(parent, 'charts', archive) }), defaultText);
    assert.deepEqual(byKind(documents(await render('4', [], { chart: parent }))), byKind(defaults));
  } finally {
    fs.rmSync(work, { recursive: true });
  }
});

checks.add('the alerts look at metrics and labels that the service has', async () => {
  // A Redis has metrics where it is named, whether it is there or not.
  const families = await backend.withDemo(async (base) => familiesOf(await (await fetch(`${base}/metrics`)).text()),
    { REDIS_URL: 'unix:///nonexistent' });
  const rules = byKind(rendered.prometheusrule).PrometheusRule.spec.groups.flatMap((group) => group.rules)
    .filter(({ alert }) => alert);
  assert.equal(rules.length, 10);
  expectNone(rules.flatMap((rule) => alertFaults(rule, families)));
  const wrong = { alert: 'Wrong', expr: 'kubecent_no_such{pod="a"} >', annotations: { summary: '{{ $labels.nope }}' } };
  assert.equal(alertFaults(wrong, families).length, 3);
});

checks.add('the notes\' commands are shell, and what they ask for is there', async () => {
  const spoken = ['auth', 'auth-metrics', 'auth-token', 'demo', 'existing-configmap', 'ingress', 'ports', 'tls'];
  const notes = await inParallel([[], ...spoken.map(withValues)], async (args) => {
    const { stdout } = await helm('4', 'install', 'kubecent', CHART, '--dry-run=client', ...args);
    const commands = stdout.split('\nNOTES:\n')[1]?.match(/^ {2}.+$/gm) ?? [];
    const { status, stderr } = await run('sh', ['-n', '-c', commands.join('\n')]);
    assert.equal(status, 0, `${args}: ${stderr}`);
    return commands.find((line) => line.startsWith('  curl ')) ?? '';
  });
  const targets = notes.map((curl) => curl.match(/'https?:\/\/127\.0\.0\.1:\d+(\/.*)'$/)?.[1]);
  assert.ok(targets.every(Boolean), `a curl is missing: ${notes.join('\n')}`);
  await backend.withDemo(async (base) => {
    for (const target of new Set(targets)) {
      const answer = await fetch(base + target);
      assert.equal(answer.status, 200);
      assert.ok((await answer.json()).item_count > 0);
    }
  });
});

checks.add('the test pod\'s command tells a service that answers from one that does not', async () => {
  const [container] = byKind(defaults).Pod.spec.containers;
  assert.deepEqual(container.args, ['--healthcheck']);
  assert.deepEqual(container.env.map(({ name }) => name), ['HOST', 'PORT']);
  const address = await backend.withDemo(async (base, env) => {
    assert.equal(await backend.healthcheck({ ...env, HOST: 'localhost' }), 0);
    return env;
  });
  assert.notEqual(await backend.healthcheck(address), 0);
});

// No fault: extraEnv can set them. Whoever adds a setting decides whether the chart should name it. DEBUG is only another
// word for log.level.
const named = JSON.stringify(everything);
for (const name of knownSettings.filter((setting) => setting !== 'DEBUG' && !named.includes(`"${setting}"`)))
  console.log(`note    no value of the chart is for ${name}`);

process.exitCode = await checks.run() ? 0 : 1;
