// SPDX-License-Identifier: Apache-2.0
// Named checks that run one after another; a failed one does not stop the others.

export class Checks {
  #passed = 0;
  #failed = 0;

  async run(name, body) {
    try {
      await body();
      this.#passed++;
      console.log(`ok      ${name}`);
    } catch (error) {
      this.#failed++;
      console.log(`FAILED  ${name}\n${String(error.stack ?? error).replace(/^/gm, '        ')}`);
    }
  }

  // Prints the sum; the exit status of the process follows from it.
  finish() {
    console.log(`${this.#passed} passed, ${this.#failed} failed`);
    process.exitCode = this.#failed === 0 && this.#passed > 0 ? 0 : 1;
  }
}
