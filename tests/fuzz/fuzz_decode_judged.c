/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder and its judge (tests/unit/opencost/decode_judge.h), who reads with jansson, accept
 * the same bodies and see the same rows in them. */
#include <stdbool.h>

#include "fuzz.h"
#include "opencost/decode.h"
#include "unit/opencost/decode_judge.h"
#include "unit/opencost/decode_support.h"

/* The judge has other limits. */
static bool is_beyond_judging(const struct error *error)
{
    return strstr(error->text, "512 levels") != NULL || strstr(error->text, "MiB") != NULL;
}

static void compare(struct cost_set *set, struct cost_set *judged, const struct error *error)
{
    if ((set == NULL) != (judged == NULL))
        (void)fprintf(stderr, "decoder: \"%s\", judge %s\n", error->text,
                      judged != NULL ? "accepts" : "refuses");
    FUZZ_CHECK((set == NULL) == (judged == NULL));
    if (set == NULL)
        return;
    char *ours = describe(set, error);
    char *theirs = describe(judged, error);
    if (strcmp(ours, theirs) != 0)
        (void)fprintf(stderr, "decoder:\n%s\njudge:\n%s\n", ours, theirs);
    FUZZ_CHECK(strcmp(ours, theirs) == 0);
    free(ours);
    free(theirs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = {0};
    struct cost_set *judged = NULL;
    struct body body = {.bytes = fuzz_copy(data, size, 0), .length = size};
    struct cost_set *set = allocation_decode(body.bytes, body.length, true, &error);
    if (is_beyond_judging(&error) || judge(&body, true, &judged) == VERDICT_HAS_REPEATED_KEYS) {
        cost_set_destroy(set);
        cost_set_destroy(judged);
    } else {
        compare(set, judged, &error);
    }
    body_free(&body);
    return 0;
}
