/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One replica's side of the shared tier and nothing else, to be told what to do line by line:
 *
 *     tier_client      the settings REDIS_... from the environment
 *
 *     claim ID KEY MAX_WAIT_MS      -> ID found TEXT AGE_MS | ID leading | ID failed CODE TEXT | ID absent
 *     peek ID KEY                   -> ID value TEXT AGE_MS | ID nothing
 *     settle ID KEEP_MS TEXT        stores TEXT and ends the lease that claim ID got
 *     settle_large ID KEEP_MS BYTES the same, as many bytes of `x`
 *     fail ID CODE TEXT             CODE is one of two: upstream_timeout, upstream_connect
 *     release ID
 *     cancel ID                     a claim
 *     want TEXT|-                   claims take no other value from now on; - any
 *     metrics                       -> the exposition, then a line `end`
 *     quit
 *
 * Long values are shown as `BYTES bytes`. The log goes to standard error.
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "config/config.h"
#include "net/curl_loop.h"
#include "redis/curl_stream.h"
#include "redis/redis_tier.h"
#include "worker/worker.h"

enum { CLAIMS_MAX = 1024, WORD_MAX = 256, SHOWN_MAX = 200, METRICS_MAX = 1024 * 1024 };

struct client {
    struct worker *worker;
    struct log *log;
    struct metrics *metrics;
    struct curl_streams *streams;
    struct redis_tier *tier;
    const struct shared_tier *door;
    struct loop_task start;
    struct slot {
        struct client *client;
        int id;
        struct tier_claim *claim;
        struct tier_peek *peek;
        struct tier_lease *lease;
    } slots[CLAIMS_MAX];
    char wanted[WORD_MAX];
};

struct order {
    struct loop_task task;
    struct client *client;
    char line[WORD_MAX];
};

static void must(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "tier_client: %s\n", what);
    _exit(1);
}

static void say_value(int id, const char *word, const struct tier_value *value)
{
    if (value->bytes.length > SHOWN_MAX)
        printf("%d %s %zu bytes %lld\n", id, word, value->bytes.length,
               (long long)value->stored_ms_ago);
    else
        printf("%d %s %.*s %lld\n", id, word, (int)value->bytes.length, value->bytes.data,
               (long long)value->stored_ms_ago);
}

static bool is_wanted(void *context, const struct tier_value *value)
{
    const struct slot *slot = context;
    const char *wanted = slot->client->wanted;
    return wanted[0] == '\0' || text_equals(value->bytes, text_of(wanted));
}

static void claimed(void *context, enum tier_outcome outcome, const struct tier_value *value,
                    struct tier_lease *lease, const struct error *error)
{
    struct slot *slot = context;
    slot->claim = NULL;
    slot->lease = lease;
    if (outcome == TIER_FOUND)
        say_value(slot->id, "found", value);
    else if (outcome == TIER_FAILED)
        printf("%d failed %s %s\n", slot->id, error_code_name(error->code), error->text);
    else
        printf("%d %s\n", slot->id, outcome == TIER_LEADING ? "leading" : "absent");
    fflush(stdout);
}

static void peeked(void *context, const struct tier_value *value)
{
    struct slot *slot = context;
    slot->peek = NULL;
    if (value != NULL)
        say_value(slot->id, "value", value);
    else
        printf("%d nothing\n", slot->id);
    fflush(stdout);
}

static struct slot *slot_of(struct client *client, int id)
{
    must(id >= 0 && id < CLAIMS_MAX, "ids are small numbers");
    client->slots[id].client = client;
    client->slots[id].id = id;
    return &client->slots[id];
}

static void begin_claim(struct client *client, int id, const char *key, long long max_wait_ms)
{
    struct slot *slot = slot_of(client, id);
    const struct tier_claim_request request = {
        .key = key,
        .max_wait_ms = max_wait_ms,
        .context = slot,
        .is_wanted = is_wanted,
        .done = claimed,
    };
    slot->claim = tier_claim(client->door, &request);
    must(slot->claim != NULL, "no memory for a claim");
}

static void settle(struct client *client, int id, const struct text *bytes, long long keep_ms,
                   const struct error *error)
{
    struct slot *slot = slot_of(client, id);
    struct tier_lease *lease = slot->lease;
    must(lease != NULL, "that claim has no lease");
    slot->lease = NULL;
    tier_settle(client->door, lease, bytes, keep_ms, error);
}

static void settle_large(struct client *client, int id, long long keep_ms, size_t length)
{
    char *bytes = malloc(length);
    must(bytes != NULL, "no memory for a large value");
    memset(bytes, 'x', length);
    settle(client, id, &(struct text){bytes, length}, keep_ms, NULL);
    free(bytes);
}

static void fail(struct client *client, int id, const char *code, const char *text)
{
    struct error error;
    error_set(&error,
              strcmp(code, "upstream_timeout") == 0 ? ERR_UPSTREAM_TIMEOUT : ERR_UPSTREAM_CONNECT,
              "%s", text);
    settle(client, id, NULL, 0, &error);
}

/* Unless it has come to its end meanwhile. */
static void cancel(struct client *client, int id)
{
    struct slot *slot = slot_of(client, id);
    if (slot->claim != NULL)
        tier_claim_cancel(client->door, slot->claim);
    slot->claim = NULL;
}

static void say_metrics(struct client *client)
{
    struct strbuf out CLEANUP(strbuf_finish);
    strbuf_init(&out, METRICS_MAX);
    metrics_render(client->metrics, &out);
    printf("%send\n", strbuf_text(&out));
    fflush(stdout);
}

static void obey(struct loop_task *task)
{
    struct order *order = CONTAINER_OF(task, struct order, task);
    struct client *client = order->client;
    char word[WORD_MAX] = "";
    char text[WORD_MAX] = "";
    int id = 0;
    long long number = 0;
    if (sscanf(order->line, "claim %d %255s %lld", &id, word, &number) == 3)
        begin_claim(client, id, word, number);
    else if (sscanf(order->line, "peek %d %255s", &id, word) == 2)
        must((slot_of(client, id)->peek =
                  tier_peek(client->door, word, peeked, slot_of(client, id))) != NULL,
             "no memory for a peek");
    else if (sscanf(order->line, "settle %d %lld %255s", &id, &number, text) == 3)
        settle(client, id, &(struct text){text, strlen(text)}, number, NULL);
    else if (sscanf(order->line, "settle_large %d %lld %255s", &id, &number, text) == 3)
        settle_large(client, id, number, (size_t)atoll(text));
    else if (sscanf(order->line, "fail %d %255s %255[^\n]", &id, word, text) == 3)
        fail(client, id, word, text);
    else if (sscanf(order->line, "release %d", &id) == 1)
        settle(client, id, NULL, 0, NULL);
    else if (sscanf(order->line, "cancel %d", &id) == 1)
        cancel(client, id);
    else if (sscanf(order->line, "want %255s", word) == 1)
        strcpy(client->wanted, strcmp(word, "-") == 0 ? "" : word);
    else if (strncmp(order->line, "metrics", strlen("metrics")) == 0)
        say_metrics(client);
    else
        must(false, "an order that is none");
    free(order);
}

static void stop(void *context)
{
    struct client *client = context;
    for (size_t i = 0; i < CLAIMS_MAX; i++) {
        if (client->slots[i].claim != NULL)
            tier_claim_cancel(client->door, client->slots[i].claim);
        if (client->slots[i].peek != NULL)
            tier_peek_cancel(client->door, client->slots[i].peek);
        if (client->slots[i].lease != NULL)
            tier_settle(client->door, client->slots[i].lease, NULL, 0, NULL);
    }
    redis_tier_stop(client->tier);
}

static void start(struct loop_task *task)
{
    redis_tier_start(CONTAINER_OF(task, struct client, start)->tier);
}

static void create(struct client *client, const struct config *config)
{
    struct error error;
    const struct redis_url *url = &config->redis;
    struct redis_endpoint endpoints[16];
    must(url->host_count <= ARRAY_LENGTH(endpoints), "too many hosts");
    for (size_t i = 0; i < url->host_count; i++)
        endpoints[i] = (struct redis_endpoint){url->hosts[i].name, url->hosts[i].port};
    must(curl_loop_global_init(&error), "curl");
    client->log =
        log_create(&(struct log_options){.level = LOG_LEVEL_DEBUG, .fd = STDERR_FILENO}, &error);
    client->metrics = metrics_create();
    client->worker = worker_create(&time_source_system, &error);
    must(client->log != NULL && client->metrics != NULL && client->worker != NULL, "the ground");
    client->streams =
        curl_streams_create(worker_loop(client->worker),
                            config->redis_ca_file[0] != '\0' ? config->redis_ca_file : NULL);
    client->tier = redis_tier_create(&(struct redis_tier_options){
        .unix_path = url->unix_path,
        .endpoints = endpoints,
        .endpoint_count = url->host_count,
        .master = url->master,
        .tls = url->tls,
        .user = url->user,
        .password = url->password,
        .password_file =
            config->redis_password_file[0] != '\0' ? config->redis_password_file : NULL,
        .database = url->database,
        .prefix = config->redis_prefix,
        .timeout_ms = config->redis_timeout_ms,
        .shown = config->redis_url_shown,
        .engine = curl_streams_engine(client->streams),
        .scheduler = worker_scheduler(client->worker),
        .time = &time_source_system,
        .log = client->log,
        .metrics = client->metrics,
    });
    must(client->streams != NULL && client->tier != NULL, "the tier");
    client->door = redis_tier_door(client->tier);
    client->start.run = start;
    must(scheduler_post(worker_scheduler(client->worker), &client->start), "post");
    must(worker_start(client->worker, &error), "the loop thread");
}

static void destroy(struct client *client)
{
    worker_stop(client->worker, stop, client);
    redis_tier_destroy(client->tier);
    curl_streams_destroy(client->streams);
    worker_destroy(client->worker);
    metrics_destroy(client->metrics);
    log_destroy(client->log);
    curl_loop_global_finish();
}

static void read_orders(struct client *client)
{
    char line[WORD_MAX];
    while (fgets(line, sizeof line, stdin) != NULL && strcmp(line, "quit\n") != 0) {
        struct order *order = malloc(sizeof *order);
        must(order != NULL, "no memory for an order");
        *order = (struct order){.task.run = obey, .client = client};
        memcpy(order->line, line, sizeof line);
        must(scheduler_post(worker_scheduler(client->worker), &order->task), "post");
    }
}

int main(void)
{
    static struct client client;
    struct config_report report;
    struct config *config = config_load(NULL, config_getenv_process, NULL, &report);
    for (size_t i = 0; i < report.errors.count; i++)
        fprintf(stderr, "%s\n", report.errors.items[i]);
    must(config != NULL && config->redis_url[0] != '\0', "REDIS_URL must be set, and right");
    create(&client, config);
    read_orders(&client);
    destroy(&client);
    config_destroy(config);
    config_report_finish(&report);
    return 0;
}
