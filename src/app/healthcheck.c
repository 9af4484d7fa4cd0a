/* SPDX-License-Identifier: Apache-2.0 */
#include "healthcheck.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

enum { TIMEOUT_MS = 3000, URL_MAX_BYTES = 512 };

static const char *address_to_ask(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

static void format_url(const struct config *config, char url[URL_MAX_BYTES])
{
    const char *host = address_to_ask(config->host);
    bool is_ipv6 = strchr(host, ':') != NULL;
    (void)snprintf(url, URL_MAX_BYTES, "http%s://%s%s%s:%lld/livez",
                   config->tls_cert_file[0] == '\0' ? "" : "s", is_ipv6 ? "[" : "", host,
                   is_ipv6 ? "]" : "", (long long)config->port);
}

static size_t ignore(const char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

/* The question is whether it is alive, not who it is: its certificate has the name that clients
 * know it by, not this one. */
static bool set_options(CURL *curl, const char *url, char *reason)
{
    return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROXY, "*") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK;
}

static bool ask(CURL *curl, const char *url, struct error *reterr)
{
    char reason[CURL_ERROR_SIZE] = "";
    long status = 0;
    if (curl == NULL || !set_options(curl, url, reason))
        return error_no_memory(reterr);
    CURLcode result = curl_easy_perform(curl);
    if (result != CURLE_OK)
        return error_set(reterr, ERR_IO, "no answer at %s: %s", url,
                         reason[0] != '\0' ? reason : curl_easy_strerror(result));
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status == 200 || error_set(reterr, ERR_IO, "not alive: %s answered %ld", url, status);
}

bool healthcheck_run(const struct config *config, struct error *reterr)
{
    char url[URL_MAX_BYTES];
    format_url(config, url);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return error_set(reterr, ERR_IO, "libcurl cannot be used");
    CURL *curl = curl_easy_init();
    bool is_alive = ask(curl, url, reterr);
    curl_easy_cleanup(curl);
    curl_global_cleanup();
    return is_alive;
}
