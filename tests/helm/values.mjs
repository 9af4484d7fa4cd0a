// SPDX-License-Identifier: Apache-2.0
// The chart's values with their comments, and the README's table made from them.
import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { CHART } from './helm.mjs';

const BEGIN = '<!-- Made from the comments of values.yaml: begin -->';
const END = '<!-- Made from the comments of values.yaml: end -->';

export const VALUES_FILE = path.join(CHART, 'values.yaml');
export const README_FILE = path.join(CHART, 'README.md');

export function schema() {
  return JSON.parse(fs.readFileSync(path.join(CHART, 'values.schema.json'), 'utf8'));
}

// The schema of one value, references followed; undefined if there is none.
export function schemaOf(root, keys) {
  let here = root;
  for (const key of keys)
    here = followed(root, here?.properties?.[key]);
  return here;
}

function followed(root, node) {
  return node?.$ref ? root.definitions[node.$ref.replace('#/definitions/', '')] : node;
}

// One entry a documented value: its keys, section, description and default. A documented map counts as one value.
export function documentedValues() {
  const text = fs.readFileSync(VALUES_FILE, 'utf8');
  const values = parse(text);
  const entries = [];
  const parents = [];
  let section = '';
  let description = null;
  for (const line of text.split('\n')) {
    const [, title] = line.match(/^## (.+)$/) ?? [];
    const [, first] = line.match(/^ *# -- (.+)$/) ?? [];
    const [, more] = line.match(/^ *# (.+)$/) ?? [];
    const [, indent, key] = line.match(/^( *)([A-Za-z]\w*):/) ?? [];
    if (title) {
      section = title;
    } else if (first) {
      description = first;
    } else if (more && description !== null) {
      description += ` ${more}`;
    } else if (key !== undefined) {
      parents.splice(indent.length / 2, Infinity, key);
      if (description !== null)
        entries.push({ keys: [...parents], section, description, value: at(values, parents) });
      description = null;
    }
  }
  return entries;
}

// Paths of everything that can be set; a list, an empty map or a documented map is one value.
export function settablePaths() {
  const whole = new Set(documentedValues().map(({ keys }) => keys.join('.')));
  const walk = (node, keys) => {
    const isMap = node !== null && typeof node === 'object' && !Array.isArray(node);
    if (!isMap || whole.has(keys.join('.')))
      return [keys.join('.')];
    return Object.entries(node).flatMap(([key, child]) => walk(child, [...keys, key]));
  };
  return walk(parse(fs.readFileSync(VALUES_FILE, 'utf8')), []);
}

export function at(node, keys) {
  return keys.reduce((here, key) => here?.[key], node);
}

export function readmeInStep(readme) {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin)
    throw new Error(`README.md has no place for the values between "${BEGIN}" and "${END}"`);
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${valuesTables()}\n${readme.slice(end)}`;
}

function valuesTables() {
  const root = schema();
  const sections = new Map();
  for (const entry of documentedValues()) {
    if (!sections.has(entry.section))
      sections.set(entry.section, []);
    sections.get(entry.section).push(row(root, entry));
  }
  return [...sections].map(([title, rows]) =>
    `### ${title}\n\n| Value | Type | Default | Description |\n|---|---|---|---|\n${rows.join('\n')}\n`).join('\n');
}

function row(root, { keys, description, value }) {
  const cells = [`\`${keys.join('.')}\``, typeName(schemaOf(root, keys)), `\`${JSON.stringify(value)}\``, description];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function typeName({ type, enum: choices }) {
  if (choices)
    return choices.includes(null) ? 'string or null' : 'string';
  return [type].flat().join(' or ');
}
