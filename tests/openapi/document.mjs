// SPDX-License-Identifier: Apache-2.0
// What the document promises of an answer, and whether an answer keeps it.
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';

const REQUEST_ID = 'contract-test';

export class Contract {
  #document;
  #ajv;

  constructor(document, packages) {
    const require = createRequire(path.join(packages, 'package.json'));
    this.#document = document;
    this.#ajv = new (require('ajv/dist/2020').default)({ strict: true, allErrors: true, allowUnionTypes: true });
    require('ajv-formats').default(this.#ajv);
    // What OpenAPI adds to the vocabulary of JSON Schema, where the document's own frame counts as a schema too.
    this.#ajv.addVocabulary(['example', ...Object.keys(document)]);
    this.#ajv.addSchema({ $id: 'document', ...document });
  }

  // Follows a reference within the document.
  #at(value) {
    if (!value?.$ref)
      return value;
    return value.$ref.slice(2).split('/').reduce((place, key) => place[key], this.#document);
  }

  #expectValid(schema, value, what) {
    const text = JSON.stringify(schema).replaceAll('"#/', '"document#/');
    const validate = this.#ajv.compile(JSON.parse(text));
    if (!validate(value))
      throw new Error(`${what} does not fit its schema: ${this.#ajv.errorsText(validate.errors)}\n${short(value)}`);
  }

  checkExamples() {
    const { schemas, headers, responses } = this.#document.components;
    for (const [name, schema] of Object.entries(schemas)) {
      if (!schema.examples?.length)
        throw new Error(`schema ${name} has no example`);
      for (const example of schema.examples)
        this.#expectValid({ $ref: `document#/components/schemas/${name}` }, example, `an example of ${name}`);
    }
    for (const [name, header] of Object.entries(headers))
      this.#expectValid(header.schema, header.example, `the example of header ${name}`);
    for (const [name, response] of Object.entries(responses))
      this.#checkMediaExamples(response, name);
    for (const [route, { get }] of Object.entries(this.#document.paths)) {
      for (const parameter of get.parameters ?? [])
        this.#checkParameterExamples(parameter, `${parameter.name} of ${route}`);
      for (const response of Object.values(get.responses))
        this.#checkMediaExamples(this.#at(response), route);
    }
  }

  #checkParameterExamples({ schema, example }, what) {
    for (const value of [example, schema.default].filter((one) => one !== undefined))
      this.#expectValid(schema, value, `an example of ${what}`);
  }

  #checkMediaExamples({ content }, what) {
    for (const [type, { schema, example }] of Object.entries(content ?? {})) {
      if (example !== undefined)
        this.#expectValid(schema, example, `the ${type} example of ${what}`);
    }
  }

  // Asks for `target` and holds the answer against what `route` promises for that status. Returns the parsed body.
  async check(base, route, target, status, { headers = {} } = {}) {
    const answer = await fetch(base + target, { headers: { 'X-Request-ID': REQUEST_ID, ...headers } });
    const text = await answer.text();
    if (answer.status !== status)
      throw new Error(`the status is ${answer.status}: ${text.slice(0, 300)}`);
    const promised = this.#at(this.#document.paths[route].get.responses[status]);
    if (!promised)
      throw new Error(`status ${status} is not documented`);
    this.#checkHeaders(promised, answer.headers);
    if (headers.Accept && !answer.headers.get('Content-Type').startsWith(headers.Accept))
      throw new Error(`the type is ${answer.headers.get('Content-Type')}`);
    return this.#checkBody(promised, answer, text);
  }

  // The request carries an id, so all that is documented must come.
  #checkHeaders(promised, headers) {
    for (const [name, reference] of Object.entries(promised.headers ?? {})) {
      const { schema } = this.#at(reference);
      const value = headers.get(name);
      if (value === null)
        throw new Error(`the header ${name} is missing`);
      this.#expectValid(schema, schema.type === 'integer' ? Number(value) : value, `the header ${name}`);
    }
  }

  #checkBody(promised, answer, text) {
    const type = answer.headers.get('Content-Type')?.split(';')[0];
    if (!promised.content) {
      if (text !== '')
        throw new Error(`a body is not documented: ${text.slice(0, 300)}`);
      return null;
    }
    const { schema } = promised.content[type] ?? {};
    if (!schema)
      throw new Error(`the type ${type} is not documented`);
    const body = type.endsWith('json') ? JSON.parse(text) : text;
    this.#expectValid(schema, body, 'the body');
    return body;
  }

  // Rows are open to additions, so that each has just what it should is checked by name.
  checkRows(route, body, members) {
    const answer = this.#at(this.#document.paths[route].get.responses[200].content['application/json'].schema);
    const [list] = Object.keys(answer.properties);
    const row = this.#at(answer.properties[list].items);
    const expected = [...(members === 'all' ? Object.keys(row.properties) : row.required)].sort();
    if (body[list].length === 0)
      throw new Error('there are no rows to look at');
    for (const one of body[list]) {
      const found = Object.keys(one).sort();
      if (found.join() !== expected.join())
        throw new Error(`a row has ${found}\ninstead of ${expected}`);
    }
  }

  // Errors that follow from the request and are the same for all routes.
  async checkError(base, target, status, { method = 'GET' } = {}) {
    const answer = await fetch(base + target, { method });
    const body = await answer.json();
    if (answer.status !== status)
      throw new Error(`the status is ${answer.status}: ${short(body)}`);
    if (status === 405 && !answer.headers.get('Allow')?.includes('GET'))
      throw new Error('405 does not say what is allowed');
    this.#expectValid({ $ref: 'document#/components/schemas/Error' }, body, 'the body');
  }

  // A request that no client library would send.
  async checkAmbiguous(base, route) {
    const { hostname, port } = new URL(base);
    const text = await exchange(hostname, port, `GET ${route} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`);
    const [head, body] = text.split('\r\n\r\n');
    if (!head.startsWith('HTTP/1.1 400 '))
      throw new Error(head);
    const promised = this.#at(this.#document.paths[route].get.responses[400]);
    this.#expectValid(promised.content['application/json'].schema, JSON.parse(body), 'the body');
  }
}

function exchange(host, port, request) {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = net.connect(port, host, () => socket.write(request));
    socket.setEncoding('latin1').setTimeout(10_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (text) => { received += text; });
    socket.once('error', reject).once('close', () => resolve(received));
  });
}

function short(value) {
  return JSON.stringify(value).slice(0, 500);
}
