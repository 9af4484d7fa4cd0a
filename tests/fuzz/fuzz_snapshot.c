/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshot files, whose checksum is put behind the input here: a fuzzer would not guess it. What is
 * read is sound, and every dataset announced is there or refused. */
#include <stdbool.h>

#include "cost_claims.h"
#include "fuzz.h"
#include "snapshot_format.h"

static const struct text origin = TEXT_INIT("http://opencost:9003");

static void read_dataset(const struct snapshot_reader *reader,
                         const struct snapshot_dataset *dataset)
{
    struct error error = {0};
    struct window again;
    FUZZ_CHECK(window_parse(text_of(dataset->window.canonical), &again));
    FUZZ_CHECK(strcmp(again.canonical, dataset->window.canonical) == 0);
    struct cost_set *set = snapshot_cost_set(reader, dataset, &error);
    FUZZ_CHECK((set == NULL) == (error.code != ERR_NONE));
    if (set != NULL)
        cost_claims_check(set);
    cost_set_destroy(set);
}

static void read_snapshot(struct text bytes)
{
    struct snapshot_reader reader;
    struct snapshot_dataset dataset;
    struct error error = {0};
    if (!snapshot_open(bytes, origin, &reader, &error)) {
        FUZZ_CHECK(error.code == ERR_INVALID);
        return;
    }
    while (reader.left > 0) {
        size_t left = reader.left;
        if (!snapshot_next(&reader, &dataset, &error)) {
            FUZZ_CHECK(error.code == ERR_INVALID);
            return;
        }
        FUZZ_CHECK(reader.left == left - 1);
        read_dataset(&reader, &dataset);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct strbuf bytes;
    strbuf_init(&bytes, SIZE_MAX);
    strbuf_append(&bytes, data, size);
    snapshot_put_checksum(&bytes);
    char *exact = fuzz_copy(bytes.data, bytes.length, 0);
    read_snapshot((struct text){exact, bytes.length});
    free(exact);
    strbuf_finish(&bytes);
    return 0;
}
