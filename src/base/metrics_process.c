/* SPDX-License-Identifier: Apache-2.0 */
/* The standard process metrics, from /proc/self. */
#include "metrics_registry.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    PROC_FILE_BYTES = 8192,
    NANOSECONDS_PER_SECOND = 1000000000,
};

struct process_stat {
    int64_t cpu_ticks;
    int64_t start_ticks; /* since the machine started */
    int64_t virtual_bytes;
    int64_t resident_pages;
};

/* The beginning of a file of /proc, as a string. */
static bool read_proc_file(const char *path, char text[PROC_FILE_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length = read(fd, text, PROC_FILE_BYTES - 1);
    close(fd);
    if (length < 0)
        return false;
    text[length] = '\0';
    return true;
}

/* Fields are numbered as in proc(5). The second is the program's name, which may hold anything, so
 * reading starts behind its last parenthesis, at field 3. */
static bool read_stat(struct process_stat *ret_stat)
{
    enum { FIELD_UTIME = 14, FIELD_STIME, FIELD_START_TIME = 22, FIELD_VSIZE, FIELD_RSS };
    char text[PROC_FILE_BYTES];
    int64_t fields[FIELD_RSS + 1] = {0};
    char *place = NULL;
    if (!read_proc_file("/proc/self/stat", text))
        return false;
    char *behind_name = strrchr(text, ')');
    if (behind_name == NULL)
        return false;
    int number = 3;
    for (char *word = strtok_r(behind_name + 1, " ", &place); word != NULL && number <= FIELD_RSS;
         word = strtok_r(NULL, " ", &place))
        fields[number++] = strtoll(word, NULL, 10);
    *ret_stat = (struct process_stat){
        .cpu_ticks = fields[FIELD_UTIME] + fields[FIELD_STIME],
        .start_ticks = fields[FIELD_START_TIME],
        .virtual_bytes = fields[FIELD_VSIZE],
        .resident_pages = fields[FIELD_RSS],
    };
    return number > FIELD_RSS;
}

/* When the machine started, in Unix seconds. /proc/stat is long on machines with many CPUs, so it
 * is read line by line. */
static bool read_boot_time(int64_t *ret_unix_s)
{
    char line[256];
    bool found = false;
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL)
        return false;
    while (!found && fgets(line, sizeof(line), file) != NULL) {
        found = strncmp(line, "btime ", 6) == 0;
        if (found)
            *ret_unix_s = strtoll(line + 6, NULL, 10);
    }
    fclose(file);
    return found;
}

static bool count_open_descriptors(int64_t *ret_count)
{
    int64_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return false;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        count += entry->d_name[0] != '.' ? 1 : 0;
    closedir(folder);
    *ret_count = count - 1; /* less the one that reads the folder */
    return true;
}

static void append_header(struct strbuf *out, const char *name, const char *type, const char *help)
{
    strbuf_append_format(out, "# HELP %s %s\n# TYPE %s %s\n%s ", name, help, name, type, name);
}

static void append_gauge(struct strbuf *out, const char *name, const char *help, int64_t value)
{
    append_header(out, name, "gauge", help);
    strbuf_append_int(out, value);
    strbuf_append_char(out, '\n');
}

static int64_t ticks_to_ns(int64_t ticks)
{
    int64_t ticks_per_second = sysconf(_SC_CLK_TCK);
    return ticks * (NANOSECONDS_PER_SECOND / ticks_per_second);
}

static void append_stat(struct strbuf *out)
{
    struct process_stat stat;
    int64_t boot_s;
    if (!read_stat(&stat))
        return;
    append_header(out, "process_cpu_seconds_total", "counter",
                  "Total user and system CPU time spent in seconds.");
    metrics_append_seconds(out, ticks_to_ns(stat.cpu_ticks));
    strbuf_append_char(out, '\n');
    append_gauge(out, "process_resident_memory_bytes", "Resident memory size in bytes.",
                 stat.resident_pages * sysconf(_SC_PAGESIZE));
    append_gauge(out, "process_virtual_memory_bytes", "Virtual memory size in bytes.",
                 stat.virtual_bytes);
    if (!read_boot_time(&boot_s))
        return;
    append_header(out, "process_start_time_seconds", "gauge",
                  "Start time of the process since unix epoch in seconds.");
    metrics_append_seconds(out, boot_s * NANOSECONDS_PER_SECOND + ticks_to_ns(stat.start_ticks));
    strbuf_append_char(out, '\n');
}

static void append_descriptors(struct strbuf *out)
{
    int64_t open_count;
    struct rlimit limit;
    if (count_open_descriptors(&open_count))
        append_gauge(out, "process_open_fds", "Number of open file descriptors.", open_count);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= INT64_MAX)
        append_gauge(out, "process_max_fds", "Maximum number of open file descriptors.",
                     (int64_t)limit.rlim_cur);
}

/* What cannot be read is left out. */
static void append_process(struct strbuf *out)
{
    append_stat(out);
    append_descriptors(out);
}

void metrics_add_process(struct metrics *metrics)
{
    pthread_mutex_lock(&metrics->lock);
    metrics->append_process = append_process;
    pthread_mutex_unlock(&metrics->lock);
}
