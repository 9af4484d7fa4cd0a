// SPDX-License-Identifier: Apache-2.0
// What one rendering has that another has not, as lines a person would write: `Deployment spec.replicas`.

export function byKind(documents) {
  const kinds = {};
  for (const document of documents) {
    if (document.kind in kinds)
      throw new Error(`two documents of kind ${document.kind}`);
    kinds[document.kind] = document;
  }
  return kinds;
}

export function differences(before, after) {
  const lines = [];
  for (const kind of Object.keys(before))
    if (!(kind in after))
      lines.push(`- ${kind}`);
  for (const [kind, document] of Object.entries(after)) {
    if (kind in before)
      lines.push(...changedPaths(before[kind], document).map((path) => `${kind} ${path}`));
    else
      lines.push(`+ ${kind}`);
  }
  return lines;
}

// Every difference must lie at or below something declared, and nothing may be declared for nothing.
export function undeclared(actual, declared) {
  const below = (line, parent) => line === parent || line.startsWith(`${parent}.`) || line.startsWith(`${parent}[`);
  return [
    ...actual.filter((line) => !declared.some((parent) => below(line, parent))).map((line) => `unexpected: ${line}`),
    ...declared.filter((parent) => !actual.some((line) => below(line, parent))).map((line) => `missing: ${line}`),
  ];
}

function changedPaths(before, after) {
  const old = new Map(leaves(before));
  const now = new Map(leaves(after));
  const paths = [...now.keys()].filter((path) => old.get(path) !== now.get(path));
  return [...paths, ...[...old.keys()].filter((path) => !now.has(path))];
}

// Items of a list go by their name where all have one of their own, so that a new item moves no other.
function* leaves(value, path = '') {
  if (value === null || typeof value !== 'object') {
    yield [path, value];
  } else if (Array.isArray(value)) {
    const named = value.every((item) => typeof item?.name === 'string') &&
      new Set(value.map((item) => item.name)).size === value.length;
    yield [`${path}[]`, value.length === 0];
    for (const [index, item] of value.entries())
      yield* leaves(item, `${path}[${named ? item.name : index}]`);
  } else {
    if (Object.keys(value).length === 0)
      yield [`${path}{}`, true];
    for (const [key, item] of Object.entries(value))
      yield* leaves(item, path === '' ? key : `${path}.${/[./]/.test(key) ? `"${key}"` : key}`);
  }
}
