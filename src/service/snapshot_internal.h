/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a snapshot: for snapshot.c, which writes the file, and snapshot_restore.c, which
 * reads it. */
#ifndef SERVICE_SNAPSHOT_INTERNAL_H
#define SERVICE_SNAPSHOT_INTERNAL_H

#include <stdbool.h>

#include "dataset.h"
#include "service/snapshot.h"

enum { SNAPSHOT_DATASETS_MAX = 256 };

/* Ten million pods; not worth waiting for beyond. */
#define SNAPSHOT_LIMIT_BYTES ((size_t)1 << 30)

struct snapshot {
    struct snapshot_options options;
    char *path;
    char *origin;
    struct metric *last_success, *bytes, *failures;

    struct {
        struct loop_timer *rest; /* until the next write may begin */
        bool changed;            /* since the last write began */
        bool writing, resting;
        bool failing; /* the last write failed, and that was logged */
        int64_t begun_ms;

        struct loop_timer *limit;        /* of restoring */
        void (*restored)(void *context); /* NULL once it was called */
        void *context;
        bool stopping;
    } loop; /* only the loop thread while it runs */
};

/* The timer `limit` fires. */
void snapshot_restore_overdue(void *context);

#endif
