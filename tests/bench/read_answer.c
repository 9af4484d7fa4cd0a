/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reading one OpenCost answer costs, engine by engine, each in a process of its own so that
 * memory can be compared:
 *
 *     read_answer decode|render|jansson FILE [PIECE_BYTES]
 *
 * Prints one line: engine, bytes, rows, CPU microseconds, peak resident KiB, and for `render` the
 * CPU microseconds and bytes of rendering the pods view from the rows. The file is read in pieces,
 * as from a socket, but for `jansson`, whose tree needs the whole of it.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "cost/report.h"
#include "opencost/decode.h"

enum { PIECE_BYTES = 128 * 1024, RENDER_ROUNDS = 5 };

struct result {
    size_t bytes, rows;
    long cpu_us, render_us;
    size_t rendered_bytes;
};

static long cpu_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

/* Of this program alone: getrusage() would begin with what its parent had before it ran us, which
 * for a Python is more than some answers take. 0 when the kernel does not tell. */
static long peak_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status != NULL && kib == 0 && fgets(line, sizeof(line), status) != NULL) {
        if (strncmp(line, "VmHWM:", sizeof("VmHWM:") - 1) == 0)
            kib = strtol(line + sizeof("VmHWM:") - 1, NULL, 10);
    }
    if (status != NULL)
        (void)fclose(status);
    return kib;
}

/* Feeds the file to the decoder; only the decoder's own time is counted. */
static struct cost_set *decode_file(int fd, size_t piece_bytes, struct result *result)
{
    struct error error = {0};
    char *piece = malloc(piece_bytes);
    struct allocation_decoder *decoder = allocation_decoder_create(false);
    struct cost_set *set = NULL;
    ssize_t got = 0;
    bool ok = piece != NULL && decoder != NULL;
    while (ok && (got = read(fd, piece, piece_bytes)) > 0) {
        long begun_us = cpu_us();
        ok = allocation_decoder_feed(decoder, piece, (size_t)got, &error);
        result->cpu_us += cpu_us() - begun_us;
        result->bytes += (size_t)got;
    }
    long begun_us = cpu_us();
    set = ok ? allocation_decoder_finish(decoder, &error) : NULL;
    result->cpu_us += cpu_us() - begun_us;
    allocation_decoder_destroy(decoder);
    free(piece);
    if (set == NULL)
        (void)fprintf(stderr, "%s\n", error.text);
    return set;
}

/* The best of a few rounds into the same buffer: the writer's speed, not the kernel's at giving
 * memory. */
static void render(const struct cost_set *set, struct result *result)
{
    struct strbuf out;
    strbuf_init(&out, SIZE_MAX / 2);
    for (int round = 0; round < RENDER_ROUNDS; round++) {
        strbuf_clear(&out);
        long begun_us = cpu_us();
        report_pods(set, TEXT("7d"), NULL, false, &out);
        long took_us = cpu_us() - begun_us;
        if (round == 0 || took_us < result->render_us)
            result->render_us = took_us;
    }
    result->rendered_bytes = out.length;
    strbuf_finish(&out);
}

static bool run_decode(int fd, size_t piece_bytes, bool rendering, struct result *result)
{
    struct cost_set *set = decode_file(fd, piece_bytes, result);
    if (set == NULL)
        return false;
    (void)cost_set_pods(set, &result->rows);
    if (rendering)
        render(set, result);
    cost_set_destroy(set);
    return true;
}

static bool run_jansson(const char *path, struct result *result)
{
    json_error_t error;
    long begun_us = cpu_us();
    json_t *root = json_load_file(path, JSON_DECODE_INT_AS_REAL, &error);
    result->rows = json_object_size(json_array_get(json_object_get(root, "data"), 0));
    result->cpu_us = cpu_us() - begun_us;
    json_decref(root);
    return root != NULL;
}

int main(int argc, char **argv)
{
    struct result result = {0};
    bool ok = false;
    int fd = argc < 3 ? -1 : open(argv[2], O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        (void)fprintf(stderr, "usage: %s decode|render|jansson FILE [PIECE_BYTES]\n", argv[0]);
        return EXIT_FAILURE;
    }
    size_t piece_bytes = argc > 3 ? strtoul(argv[3], NULL, 10) : PIECE_BYTES;
    if (strcmp(argv[1], "jansson") == 0)
        ok = run_jansson(argv[2], &result);
    else
        ok = run_decode(fd, piece_bytes, strcmp(argv[1], "render") == 0, &result);
    (void)close(fd);
    (void)printf("%s %zu %zu %ld %ld %ld %zu\n", argv[1], result.bytes, result.rows, result.cpu_us,
                 peak_kib(), result.render_us, result.rendered_bytes);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
