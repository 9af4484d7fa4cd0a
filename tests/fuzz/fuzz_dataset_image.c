/* SPDX-License-Identifier: Apache-2.0 */
/* What replicas share, as a stranger could have put it there. A look at the head takes the input as
 * it is; reading gets its checksum put behind it, which a fuzzer would not guess. What is read is
 * sound, and is what the look had claimed. */
#include <stdbool.h>

#include "cost_claims.h"
#include "dataset_image.h"
#include "fuzz.h"
#include "snapshot_format.h"

static void check_head(const struct dataset_image_head *head)
{
    FUZZ_CHECK(head->age_ms >= 0);
    FUZZ_CHECK(head->took_ms >= 0);
    FUZZ_CHECK(head->ttl_ms > 0);
    FUZZ_CHECK(head->age_ms <= INT64_MAX - head->ttl_ms);
}

static void look(const struct dataset_image *image)
{
    struct dataset_image_head head;
    struct error error = {0};
    if (dataset_image_look(image, &head, &error))
        check_head(&head);
    else
        FUZZ_CHECK(error.code == ERR_INVALID);
}

static void read_image(const struct dataset_image *image)
{
    struct dataset_image_head looked = {0};
    struct dataset_image_head head = {0};
    struct error error = {0};
    bool will_do = dataset_image_look(image, &looked, NULL);
    struct cost_set *set = dataset_image_read(image, &head, &error);
    FUZZ_CHECK((set == NULL) == (error.code != ERR_NONE));
    if (set == NULL)
        return;
    FUZZ_CHECK(will_do);
    FUZZ_CHECK(memcmp(&looked, &head, sizeof(head)) == 0);
    check_head(&head);
    FUZZ_CHECK(cost_set_includes_idle(set) == image->include_idle);
    cost_claims_check(set);
    cost_set_destroy(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct window window;
    FUZZ_CHECK(window_parse(TEXT("7d"), &window));
    struct dataset_image image = {.origin = TEXT("http://opencost:9003"), .window = &window};
    char *exact = fuzz_copy(data, size, 0);
    image.bytes = (struct text){exact, size};
    look(&image);
    free(exact);

    struct strbuf bytes;
    strbuf_init(&bytes, SIZE_MAX);
    strbuf_append(&bytes, data, size);
    snapshot_put_checksum(&bytes);
    exact = fuzz_copy(bytes.data, bytes.length, 0);
    image.bytes = (struct text){exact, bytes.length};
    for (int idle = 0; idle < 2; idle++) {
        image.include_idle = idle == 1;
        look(&image);
        read_image(&image);
    }
    free(exact);
    strbuf_finish(&bytes);
    return 0;
}
