// SPDX-License-Identifier: Apache-2.0
// Calls the API as the frontends of the old service do: they put a Content-Type on their GETs, which makes the browser
// ask first whether it may.
'use strict';

async function ask(url, cache) {
  const answer = await fetch(url, { headers: { 'Content-Type': 'application/json' }, cache });
  const body = await answer.json();
  if (answer.ok)
    return { status: answer.status, body };
  const reason = Array.isArray(body.detail) ? body.detail.map(({ msg }) => msg).join('; ') : body.detail;
  return { status: answer.status, reason };
}

// A line for each target, in order: what a person would see. `cache` is the browser's: 'default', or 'no-cache' to ask
// whether what it has is still good.
window.show = async (base, targets, cache) => {
  const lines = await Promise.all(targets.map(async (target) => {
    try {
      const { status, body, reason } = await ask(base + target, cache);
      return `${target}: ${status} ${reason ?? JSON.stringify(body)}`;
    } catch (error) {
      return `${target}: hidden by the browser (${error.message})`;
    }
  }));
  document.getElementById('answers').replaceChildren(...lines.map((line) => {
    const item = document.createElement('li');
    item.textContent = line;
    return item;
  }));
};
