/* SPDX-License-Identifier: Apache-2.0 */
/* The roof is where all libraries meet, so this is the one file that includes them only to ask for
 * their versions. */
#include "version.h"

#include <curl/curl.h>
#include <gnutls/gnutls.h>
#include <jansson.h>
#include <libdeflate.h>
#include <microhttpd.h>
#include <uv.h>

#include "version_number.h"

const char *version_number(void)
{
    return KUBECENT_VERSION;
}

const char *version_revision(void)
{
    return KUBECENT_REVISION;
}

void version_write(struct strbuf *out)
{
    strbuf_append_format(out, "kubecent-backend %s (%s)\n", version_number(), version_revision());
    strbuf_append_format(out, "libmicrohttpd %s\n", MHD_get_version());
    strbuf_append_format(out, "GnuTLS %s\n", gnutls_check_version(NULL));
    strbuf_append_format(out, "%s\n", curl_version());
    strbuf_append_format(out, "libuv %s\n", uv_version_string());
    strbuf_append_format(out, "jansson %s\n", jansson_version_str());
    strbuf_append_format(out, "libdeflate %s\n", LIBDEFLATE_VERSION_STRING);
}
