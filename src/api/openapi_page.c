/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The route table as a page for people, which needs no script. Where Swagger UI is built in, it is
 * shown instead, and the table to those who let no script run.
 *
 * The page lies one folder deep (/api/docs), so that `../` leads to the routes wherever a proxy
 * puts the service.
 */
#include <inttypes.h>

#include "openapi.h"
#include "openapi_parts.h"

enum { PAGE_LIMIT_BYTES = 256 * 1024 };

static const char page_head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Kubecent backend API</title>\n"
    "<link rel=\"icon\" href=\"data:,\">\n";

static const char swagger_head[] = "<link rel=\"stylesheet\" href=\"docs/swagger-ui.css\">\n"
                                   "<script src=\"docs/swagger-ui.js\" defer></script>\n"
                                   "<script src=\"docs/start.js\" defer></script>\n";

static const char plain_style[] =
    "<style>\n"
    ":root { color-scheme: light dark; }\n"
    "body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto;"
    " padding: 1rem; }\n"
    "h2 { margin-top: 2.5rem; border-bottom: 1px solid; }\n"
    "h3 { margin: 2rem 0 0; overflow-wrap: anywhere; }\n"
    "code { font-size: 0.95em; }\n"
    "table { border-collapse: collapse; }\n"
    "caption { text-align: left; font-weight: bold; }\n"
    "th, td { border: 1px solid GrayText; padding: 0.25rem 0.6rem; text-align: left;"
    " vertical-align: top; }\n"
    ".scroll { overflow-x: auto; }\n"
    "</style>\n";

static const char plain_intro[] =
    "<main>\n"
    "<h1>Kubecent backend API</h1>\n"
    "<p>What a Kubernetes cluster costs, and where money is wasted. All figures are US dollars. "
    "For programs: the <a href=\"openapi.json\">OpenAPI document</a>.</p>\n";

/* For element content and for quoted attributes. */
static void add_escaped_char(struct strbuf *out, char c)
{
    switch (c) {
    case '&':
        strbuf_append_text(out, "&amp;");
        break;
    case '<':
        strbuf_append_text(out, "&lt;");
        break;
    case '>':
        strbuf_append_text(out, "&gt;");
        break;
    case '"':
        strbuf_append_text(out, "&quot;");
        break;
    case '\'':
        strbuf_append_text(out, "&#39;");
        break;
    default:
        strbuf_append_char(out, c);
    }
}

static void add_escaped(struct strbuf *out, const char *text)
{
    for (; *text != '\0'; text++)
        add_escaped_char(out, *text);
}

/* The tables' descriptions are Markdown, of which they use `code` only. */
static void add_description(struct strbuf *out, const char *markdown)
{
    bool in_code = false;
    for (; *markdown != '\0'; markdown++) {
        if (*markdown != '`') {
            add_escaped_char(out, *markdown);
            continue;
        }
        strbuf_append_text(out, in_code ? "</code>" : "<code>");
        in_code = !in_code;
    }
    if (in_code)
        strbuf_append_text(out, "</code>");
}

static void add_element(struct strbuf *out, const char *element, const char *text)
{
    strbuf_append_format(out, "<%s>", element);
    add_escaped(out, text);
    strbuf_append_format(out, "</%s>", element);
}

static const char *kind_name(enum param_kind kind)
{
    static const char *const names[] = {
        [PARAM_WINDOW] = "window",
        [PARAM_BOOLEAN] = "boolean",
        [PARAM_INTEGER] = "integer",
        [PARAM_TEXT] = "text",
    };
    return names[kind];
}

static void add_parameter(struct strbuf *out, const struct param_spec *spec)
{
    strbuf_append_text(out, "<tr><th scope=\"row\">");
    add_element(out, "code", spec->name);
    strbuf_append_format(out, "</th><td>%s", kind_name(spec->kind));
    if (spec->kind == PARAM_INTEGER)
        strbuf_append_format(out, ", %" PRId64 " to %" PRId64, spec->minimum, spec->maximum);
    strbuf_append_text(out, "</td><td>");
    if (spec->default_text != NULL)
        add_element(out, "code", spec->default_text);
    else
        strbuf_append_text(out, "none");
    strbuf_append_text(out, "</td><td>");
    add_description(out, spec->description);
    strbuf_append_text(out, "</td></tr>\n");
}

static void add_parameters(struct strbuf *out, const struct route *route)
{
    if (route->param_count == 0)
        return;
    strbuf_append_text(out, "<div class=\"scroll\"><table>\n<caption>Query parameters</caption>\n"
                            "<thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Type</th>"
                            "<th scope=\"col\">Default</th><th scope=\"col\">Description</th></tr>"
                            "</thead>\n<tbody>\n");
    for (size_t i = 0; i < route->param_count; i++)
        add_parameter(out, &route->params[i]);
    strbuf_append_text(out, "</tbody>\n</table></div>\n");
}

static void add_route(struct strbuf *out, const struct route *route)
{
    strbuf_append_text(out, "<h3><code>GET <a href=\"..");
    add_escaped(out, route->path);
    strbuf_append_text(out, "\">");
    add_escaped(out, route->path);
    strbuf_append_text(out, "</a></code></h3>\n<p>");
    add_element(out, "strong", route->summary);
    strbuf_append_text(out, ".<br>");
    add_description(out, route->description);
    strbuf_append_text(out, "</p>\n");
    add_parameters(out, route);
}

static void add_group(struct strbuf *out, enum route_group group)
{
    size_t count;
    const struct route *routes = routes_all(&count);
    add_element(out, "h2", openapi_tag_of(group)->title);
    add_element(out, "p", openapi_tag_of(group)->description);
    strbuf_append_char(out, '\n');
    for (size_t i = 0; i < count; i++) {
        if (routes[i].group == group && openapi_shows(&routes[i]))
            add_route(out, &routes[i]);
    }
}

static void add_table(struct strbuf *out)
{
    strbuf_append_text(out, plain_intro);
    for (unsigned group = 0; group < ROUTE_GROUP_COUNT; group++) {
        if (openapi_shows_group(group))
            add_group(out, group);
    }
    strbuf_append_text(out, "</main>\n");
}

struct http_content *openapi_docs_page(bool with_swagger)
{
    const char *open = with_swagger ? "<noscript>\n" : "";
    const char *close = with_swagger ? "</noscript>\n" : "";
    struct strbuf out CLEANUP(strbuf_finish) = {0};
    strbuf_init(&out, PAGE_LIMIT_BYTES);

    strbuf_append_text(&out, page_head);
    if (with_swagger)
        strbuf_append_text(&out, swagger_head);
    strbuf_append_format(&out, "%s%s%s</head>\n<body>\n", open, plain_style, close);
    if (with_swagger)
        strbuf_append_text(&out, "<div id=\"swagger-ui\"></div>\n");
    strbuf_append_text(&out, open);
    add_table(&out);
    strbuf_append_format(&out, "%s</body>\n</html>\n", close);

    size_t length;
    char *bytes = strbuf_take(&out, &length);
    return bytes != NULL ? http_content_create(bytes, length, "text/html; charset=utf-8") : NULL;
}

/* The hash is that of what stands between the tags of plain_style: a test keeps them together. */
const char *openapi_docs_policy(void)
{
    return "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
           "style-src 'self' 'sha256-2hKwyU+uMNugqYMqo+B1mHMAq3uGG+2HNSnijPPU7gY='; "
           "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}
