// SPDX-License-Identifier: Apache-2.0
// Started by the page at /api/docs. Every address is relative to the page, so that a proxy may put the service anywhere.
'use strict';

window.ui = SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  layout: 'BaseLayout',
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  // The default sends the document to a validator in the internet.
  validatorUrl: null,
});
