/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Swagger UI and what starts it. cmake/KubecentSwagger.cmake compresses the files; the assembler
 * copies them into a read-only section, where they cost no memory until they are sent: one of their
 * own, because the kernel reads neighbours along with what is used all the time. Assembled from C
 * rather than on its own, so that the object carries the marks of the hardening flags.
 */
#include "docs_files.h"

#include "docs_digests.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): the name to declare. */
#define EMBED(symbol, file)                                                                        \
    extern const char symbol[] __attribute__((visibility("hidden")));                              \
    extern const char symbol##_end[] __attribute__((visibility("hidden")));                        \
    __asm__(".pushsection .docs_files,\"a\",%progbits\n"                                           \
            ".globl " #symbol ", " #symbol "_end\n"                                                \
            ".hidden " #symbol ", " #symbol "_end\n" #symbol ":\n"                                 \
            ".incbin \"" DOCS_FILES_FOLDER "/" file "\"\n" #symbol "_end:\n"                       \
            ".popsection\n")
/* NOLINTEND(bugprone-macro-parentheses) */

EMBED(docs_swagger_ui_js, "swagger-ui.js.gz");
EMBED(docs_swagger_ui_css, "swagger-ui.css.gz");
EMBED(docs_start_js, "start.js.gz");

static const struct docs_file files[] = {
    {.path = "/api/docs/swagger-ui.js",
     .type = "text/javascript; charset=utf-8",
     .digest = SWAGGER_UI_JS_DIGEST,
     .gzip = docs_swagger_ui_js,
     .gzip_end = docs_swagger_ui_js_end},
    {.path = "/api/docs/swagger-ui.css",
     .type = "text/css; charset=utf-8",
     .digest = SWAGGER_UI_CSS_DIGEST,
     .gzip = docs_swagger_ui_css,
     .gzip_end = docs_swagger_ui_css_end},
    {.path = "/api/docs/start.js",
     .type = "text/javascript; charset=utf-8",
     .digest = START_JS_DIGEST,
     .gzip = docs_start_js,
     .gzip_end = docs_start_js_end},
};

const struct docs_file *docs_files_all(size_t *ret_count)
{
    *ret_count = ARRAY_LENGTH(files);
    return files;
}
