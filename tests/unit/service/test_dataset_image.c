/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "dataset_image.h"
#include "sample.h"
#include "snapshot_format.h"
#include "support/alloc_fault.h"
#include "support/fake_loop.h"

enum { TTL_MS = 300 * 1000, TOOK_MS = 700, AGE_MS = 40 };

#define ORIGIN TEXT("http://opencost:9003")

struct scene {
    struct fake_loop *loop;
    struct window window;
    struct dataset *dataset;
    struct strbuf bytes;
};

static bool write_image(struct scene *scene)
{
    return dataset_image_write(&scene->bytes, ORIGIN, scene->dataset, TOOK_MS,
                               fake_loop_time(scene->loop), NULL);
}

static int setup(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    scene->loop = fake_loop_create();
    assert_true(window_parse(TEXT("7d"), &scene->window));
    struct cost_set *set = sample_set_of(sample_cpu("shop/web-0", "1.5")); /* with idle */
    int64_t now_ms = time_monotonic_ms(fake_loop_time(scene->loop));
    scene->dataset = dataset_create(set, &scene->window, now_ms - AGE_MS, TTL_MS);
    assert_non_null(scene->dataset);
    strbuf_init(&scene->bytes, DATASET_IMAGE_LIMIT_BYTES);
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    strbuf_finish(&scene->bytes);
    dataset_release(scene->dataset);
    fake_loop_destroy(scene->loop);
    free(scene);
    return 0;
}

static struct dataset_image image_of(const struct scene *scene)
{
    return (struct dataset_image){
        .bytes = {.data = scene->bytes.data, .length = scene->bytes.length},
        .origin = ORIGIN,
        .window = &scene->window,
        .include_idle = true,
    };
}

static void dataset_comes_back_with_its_age_whatever_time_it_is(void **state)
{
    struct scene *scene = *state;
    struct dataset_image_head looked;
    struct dataset_image_head head;
    assert_true(write_image(scene));
    const struct dataset_image image = image_of(scene);
    assert_true(dataset_image_look(&image, &looked, NULL));
    struct cost_set *set = dataset_image_read(&image, &head, NULL);
    assert_non_null(set);
    assert_decimal_equal(cost_set_total(set), "1.5");
    assert_int_equal(head.age_ms, AGE_MS);
    assert_int_equal(head.took_ms, TOOK_MS);
    assert_int_equal(head.ttl_ms, TTL_MS);
    assert_memory_equal(&looked, &head, sizeof(head));
    cost_set_destroy(set);
}

static void assert_refused(const struct dataset_image *image, const char *part)
{
    struct dataset_image_head head;
    struct error looked = {0};
    struct error read = {0};
    assert_false(dataset_image_look(image, &head, &looked));
    assert_null(dataset_image_read(image, &head, &read));
    assert_int_equal(looked.code, ERR_INVALID);
    assert_int_equal(read.code, ERR_INVALID);
    if (strstr(looked.text, part) == NULL)
        fail_msg("%s: no %s in it", looked.text, part);
}

static void what_is_not_the_dataset_asked_for_is_refused_at_a_look(void **state)
{
    struct scene *scene = *state;
    struct window other;
    assert_true(window_parse(TEXT("24h"), &other));
    assert_true(write_image(scene));
    struct dataset_image image = image_of(scene);
    image.window = &other;
    assert_refused(&image, "another window");
    image = image_of(scene);
    image.include_idle = false;
    assert_refused(&image, "another window");
    image = image_of(scene);
    image.origin = TEXT("http://another:9003");
    assert_refused(&image, "another OpenCost");
    image = image_of(scene);
    image.bytes = TEXT("something else altogether, but long enough to be one of ours");
    assert_refused(&image, "not a snapshot");
    image.bytes.length = 0;
    assert_refused(&image, "not a snapshot");
}

/* Datasets, and the clock's two readings. */
static void put(struct scene *scene, size_t count, int64_t created_ms, int64_t fetched_ms)
{
    const struct snapshot_dataset head = {.window = scene->window,
                                          .include_idle = true,
                                          .fetched_wall_ms = fetched_ms,
                                          .ttl_ms = TTL_MS};
    strbuf_clear(&scene->bytes);
    snapshot_put_head(&scene->bytes, ORIGIN, created_ms, count);
    for (size_t i = 0; i < count; i++)
        assert_true(snapshot_put_dataset(&scene->bytes, &head, scene->dataset->set, NULL));
    snapshot_put_checksum(&scene->bytes);
}

static void head_that_makes_no_sense_is_refused_at_a_look(void **state)
{
    struct scene *scene = *state;
    static const struct {
        size_t count;
        int64_t created_ms, fetched_ms;
        const char *part;
    } cases[] = {
        {2, 1, 1, "not one dataset"},
        {0, 1, 1, "not one dataset"},
        {1, 0, 1, "times make no sense"},
        {1, INT64_MIN, 0, "times make no sense"},
        {1, INT64_MAX, 0, "times make no sense"},
        {1, INT64_MAX, INT64_MAX, "times make no sense"},
        {1, 0, -1, "a dataset makes no sense"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        put(scene, cases[i].count, cases[i].created_ms, cases[i].fetched_ms);
        const struct dataset_image image = image_of(scene);
        assert_refused(&image, cases[i].part);
    }
}

static void damage_that_a_look_does_not_see_is_found_by_reading(void **state)
{
    struct scene *scene = *state;
    struct dataset_image_head head;
    struct error error;
    assert_true(write_image(scene));
    scene->bytes.data[scene->bytes.length - 10] ^= 1;
    const struct dataset_image image = image_of(scene);
    assert_true(dataset_image_look(&image, &head, NULL));
    assert_null(dataset_image_read(&image, &head, &error));
    assert_int_equal(error.code, ERR_INVALID);
    assert_non_null(strstr(error.text, "checksum"));
}

static void value_cut_off_anywhere_is_refused(void **state)
{
    struct scene *scene = *state;
    struct dataset_image_head head;
    struct error error;
    assert_true(write_image(scene));
    for (size_t length = 0; length < scene->bytes.length; length++) {
        char *exact = malloc(length + (length == 0));
        assert_non_null(exact);
        if (length > 0)
            memcpy(exact, scene->bytes.data, length);
        struct dataset_image image = image_of(scene);
        image.bytes = (struct text){.data = exact, .length = length};
        if (dataset_image_look(&image, &head, NULL))
            assert_in_range(length, 30, scene->bytes.length); /* a head is that long */
        assert_null(dataset_image_read(&image, &head, &error));
        assert_int_equal(error.code, ERR_INVALID);
        free(exact);
    }
}

static void running_out_of_memory_is_an_error_and_no_half_value(void **state)
{
    struct scene *scene = *state;
    if (!alloc_fault_supported())
        skip();
    long nth = 1;
    for (bool hit = true; hit; nth++) {
        strbuf_finish(&scene->bytes);
        strbuf_init(&scene->bytes, DATASET_IMAGE_LIMIT_BYTES);
        alloc_fault_arm(nth);
        bool written = write_image(scene);
        hit = alloc_fault_hit();
        alloc_fault_disarm();
        assert_int_equal(written, !hit);
    }
    assert_true(nth > 4);
}

#define ON_SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SCENE(dataset_comes_back_with_its_age_whatever_time_it_is),
        ON_SCENE(what_is_not_the_dataset_asked_for_is_refused_at_a_look),
        ON_SCENE(head_that_makes_no_sense_is_refused_at_a_look),
        ON_SCENE(damage_that_a_look_does_not_see_is_found_by_reading),
        ON_SCENE(value_cut_off_anywhere_is_refused),
        ON_SCENE(running_out_of_memory_is_an_error_and_no_half_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
