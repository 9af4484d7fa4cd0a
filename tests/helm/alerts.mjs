// SPDX-License-Identifier: Apache-2.0
// Alerts are held against the metrics the service really has, by Prometheus' own grammar.
import { parser } from '@prometheus-io/lezer-promql';

// What Prometheus itself adds: `up`, and the labels of a target found through a Service.
const BUILT_IN = { up: [] };
const TARGET_LABELS = ['job', 'namespace', 'pod', 'service', 'endpoint', 'container', 'instance'];

export function familiesOf(exposition) {
  const families = { ...BUILT_IN };
  for (const [, name, labels] of exposition.matchAll(/^([a-z_]+)(?:\{(.*)\})? /gm))
    families[name] = [...(labels ?? '').matchAll(/([a-z_]+)="/g)].map(([, label]) => label);
  return families;
}

export function alertFaults(rule, families) {
  const { errors, metrics, labels } = parts(rule.expr);
  const known = [...TARGET_LABELS, ...metrics.flatMap((metric) => families[metric] ?? [])];
  const used = [...labels, ...[...JSON.stringify(rule.annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label)];
  return [
    ...(errors > 0 ? [`${rule.alert}: "${rule.expr}" is no PromQL`] : []),
    ...(metrics.length === 0 ? [`${rule.alert} looks at no metric`] : []),
    ...metrics.filter((metric) => !(metric in families)).map((metric) => `${rule.alert}: there is no ${metric}`),
    ...used.filter((label) => !known.includes(label)).map((label) => `${rule.alert}: there is no label ${label}`),
  ];
}

function parts(expression) {
  const found = { errors: 0, metrics: [], labels: [] };
  parser.parse(expression).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError)
        found.errors++;
      else if (type.name === 'VectorSelector')
        found.metrics.push(expression.slice(from, to).match(/^[\w:]*/)[0]);
      else if (type.name === 'LabelName')
        found.labels.push(expression.slice(from, to));
    },
  });
  return found;
}
