/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared answers among threads: who finds one has the one he asked for, while he holds it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prepared.h"

/* More tags than slots, so that answers come and go; few enough to be found. */
enum { THREADS = 4, TAGS = PREPARED_SLOTS + 2, ROUNDS = 100000 };

#define TAG_HEADER "X-Tag"

/* An answer that says which tag it was made for. */
static struct MHD_Response *answer_for(uint64_t tag)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    char text[24];

    assert_non_null(response);
    (void)snprintf(text, sizeof(text), "%" PRIu64, tag);
    assert_int_equal(MHD_add_response_header(response, TAG_HEADER, text), MHD_YES);
    return response;
}

static uint64_t tag_of(struct MHD_Response *response)
{
    return strtoull(MHD_get_response_header(response, TAG_HEADER), NULL, 10);
}

static struct prepared_key key_of(uint64_t tag)
{
    return (struct prepared_key){.tag = tag};
}

static void keep(struct prepared_table *table, uint64_t tag)
{
    const struct prepared_key key = key_of(tag);
    struct MHD_Response *response = answer_for(tag);

    if (!prepared_keep(table, &key, response))
        MHD_destroy_response(response);
}

static void nobody_is_waited_for_when_all_are_in_use(void **state)
{
    struct prepared_table table;
    struct prepared *found[PREPARED_SLOTS];
    const struct prepared_key late = key_of(PREPARED_SLOTS + 1);

    (void)state;
    prepared_table_init(&table);
    for (unsigned i = 0; i < PREPARED_SLOTS; i++) {
        const struct prepared_key key = key_of(i + 1);

        keep(&table, i + 1);
        found[i] = prepared_find(&table, &key);
        assert_non_null(found[i]);
    }
    keep(&table, late.tag);
    assert_null(prepared_find(&table, &late));
    prepared_release(found[1]);
    keep(&table, late.tag);
    assert_ptr_equal(prepared_find(&table, &late), found[1]);
    for (unsigned i = 0; i < PREPARED_SLOTS; i++) {
        assert_int_equal(tag_of(found[i]->response), i == 1 ? late.tag : i + 1);
        prepared_release(found[i]);
    }
    prepared_table_finish(&table);
}

struct seeker {
    pthread_t thread;
    struct prepared_table *table;
    unsigned number;
    unsigned found, wrong;
};

static void *seek(void *context)
{
    struct seeker *seeker = context;

    for (unsigned i = 0; i < ROUNDS; i++) {
        const struct prepared_key key = key_of((i + seeker->number) % TAGS + 1);
        struct prepared *prepared = prepared_find(seeker->table, &key);

        if (prepared == NULL) {
            keep(seeker->table, key.tag);
            continue;
        }
        seeker->found++;
        if (i % 16 == 0)
            (void)sched_yield(); /* while it is held */
        seeker->wrong += tag_of(prepared->response) != key.tag;
        prepared_release(prepared);
    }
    return NULL;
}

static void who_finds_an_answer_has_the_right_one_while_others_come_and_go(void **state)
{
    struct prepared_table table;
    struct seeker seekers[THREADS];
    unsigned found = 0;

    (void)state;
    prepared_table_init(&table);
    for (unsigned i = 0; i < THREADS; i++) {
        seekers[i] = (struct seeker){.table = &table, .number = i};
        assert_int_equal(pthread_create(&seekers[i].thread, NULL, seek, &seekers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(seekers[i].thread, NULL), 0);
        assert_int_equal(seekers[i].wrong, 0);
        found += seekers[i].found;
    }
    assert_true(found > 0);
    prepared_table_finish(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_waited_for_when_all_are_in_use),
        cmocka_unit_test(who_finds_an_answer_has_the_right_one_while_others_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
