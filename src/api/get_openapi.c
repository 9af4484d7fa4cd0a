/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/openapi.json and /api/docs; without documentation their routes do not exist. */
#include "call.h"

void get_openapi(struct call *call)
{
    call_reply_document(call, call->api->openapi);
}

void get_docs(struct call *call)
{
    call_reply_document(call, call->api->docs);
}
