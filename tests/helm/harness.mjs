// SPDX-License-Identifier: Apache-2.0
// Named checks, run in the order they were given; a failed one does not stop the others.
import os from 'node:os';

export class Checks {
  #checks = [];

  add(name, body) {
    this.#checks.push({ name, body });
  }

  async run() {
    let failed = 0;
    for (const { name, body } of this.#checks) {
      try {
        await body();
        console.log(`ok      ${name}`);
      } catch (error) {
        failed++;
        console.log(`FAILED  ${name}\n${indented(error.message)}`);
      }
    }
    console.log(`${this.#checks.length - failed} passed, ${failed} failed`);
    return failed === 0;
  }
}

// What is wrong with many things is reported at once.
export function expectNone(faults) {
  if (faults.length > 0)
    throw new Error(faults.join('\n'));
}

// For long texts: shows where they part, not all that follows.
export function expectSameText(actual, expected) {
  if (actual === expected)
    return;
  const [is, should] = [actual.split('\n'), expected.split('\n')];
  let line = 0;
  while (is[line] === should[line])
    line++;
  throw new Error(`line ${line + 1} is "${is[line]}" and should be "${should[line]}"`);
}

// As map(), but with as many at work as there are CPUs.
export async function inParallel(items, work) {
  const results = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const mine = next++;
      results[mine] = await work(items[mine]);
    }
  };
  await Promise.all(Array.from({ length: os.cpus().length }, worker));
  return results;
}

function indented(text) {
  return text.replace(/^/gm, '        ');
}
