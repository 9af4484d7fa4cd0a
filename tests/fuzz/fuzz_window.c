/* SPDX-License-Identifier: Apache-2.0 */
/* Windows: what is accepted has a canonical text that is safe in a URL and in a cache key, and
 * means itself. */
#include <stdbool.h>

#include "cost/window.h"
#include "fuzz.h"

static void check_canonical(const struct window *window)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyz0123456789TZ:,-";
    struct window again;
    size_t length = strnlen(window->canonical, WINDOW_TEXT_MAX);
    FUZZ_CHECK(length > 0 && length < WINDOW_TEXT_MAX);
    FUZZ_CHECK(strspn(window->canonical, safe) == length);
    FUZZ_CHECK(window_parse(text_of(window->canonical), &again));
    FUZZ_CHECK(strcmp(again.canonical, window->canonical) == 0);
    FUZZ_CHECK(again.is_absolute == window->is_absolute);
    if (!window->is_absolute)
        return;
    FUZZ_CHECK(again.start_s == window->start_s && again.end_s == window->end_s);
    FUZZ_CHECK(window->end_s > window->start_s);
    FUZZ_CHECK(window->end_s - window->start_s <= (int64_t)WINDOW_MAX_DAYS * 86400);
    struct window of_span = window_of_span(window->start_s, window->end_s);
    FUZZ_CHECK(strcmp(of_span.canonical, window->canonical) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(data, size, 0);
    struct window window;
    if (window_parse((struct text){copy, size}, &window))
        check_canonical(&window);
    free(copy);
    return 0;
}
