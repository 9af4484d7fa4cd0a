/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/redis_tier.h"

#include <stdlib.h>
#include <string.h>

#include "tier_internal.h"

static const struct tier_ops door_ops = {
    .claim = claim_begin,
    .claim_cancel = claim_cancel,
    .settle = lease_settle,
    .peek = peek_begin,
    .peek_cancel = peek_cancel,
};

/* NULL stays NULL. False when out of memory. */
static bool copy(const char **text)
{
    if (*text == NULL)
        return true;
    *text = strdup(*text);
    return *text != NULL;
}

static bool copy_endpoints(struct redis_tier_options *options)
{
    const struct redis_endpoint *given = options->endpoints;
    size_t count = options->endpoint_count;
    struct redis_endpoint *endpoints = calloc(count + 1, sizeof *endpoints);
    options->endpoints = endpoints;
    options->endpoint_count = 0;
    if (endpoints == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        endpoints[i] = given[i];
        if (!copy(&endpoints[i].host))
            return false;
        options->endpoint_count++;
    }
    return true;
}

/* Every text is copied, or NULL. */
static bool copy_options(struct redis_tier_options *options)
{
    options->password = options->password_file = NULL; /* struct password has them */
    bool is_complete = copy_endpoints(options);
    /* One after the other whatever happens, so that none is left that is not ours. */
    is_complete = copy(&options->unix_path) && is_complete;
    is_complete = copy(&options->master) && is_complete;
    is_complete = copy(&options->user) && is_complete;
    is_complete = copy(&options->prefix) && is_complete;
    return copy(&options->shown) && is_complete;
}

static void free_options(struct redis_tier_options *options)
{
    for (size_t i = 0; i < options->endpoint_count; i++)
        free((char *)options->endpoints[i].host);
    free((struct redis_endpoint *)options->endpoints);
    free((char *)options->unix_path);
    free((char *)options->master);
    free((char *)options->user);
    free((char *)options->prefix);
    free((char *)options->shown);
}

static bool create_parts(struct redis_tier *tier, const struct redis_tier_options *given)
{
    static const char channel[] = "settled";
    tier->password = password_create(given->password, given->password_file, given->log);
    tier->channel = malloc(strlen(given->prefix) + sizeof channel);
    if (tier->password == NULL || tier->channel == NULL)
        return false;
    (void)stpcpy(stpcpy(tier->channel, given->prefix), channel);
    tier->login = (struct session_login){
        .user = tier->options.user,
        .password = tier->password,
        .database = given->database,
        .prefix = tier->options.prefix,
        .channel = tier->channel,
        .must_be_master = given->master != NULL,
    };
    tier_metrics_init(&tier->series, given->metrics);
    tier->link = link_create(&(struct link_options){
        .tier = &tier->options, .login = &tier->login, .series = &tier->series});
    if (tier->link != NULL)
        tier->messages = messages_create(tier->link, given->scheduler);
    return tier->messages != NULL;
}

struct redis_tier *redis_tier_create(const struct redis_tier_options *options)
{
    struct redis_tier *tier = calloc(1, sizeof *tier);
    if (tier == NULL)
        return NULL;
    tier->options = *options;
    tier->door = (struct shared_tier){.self = tier, .ops = &door_ops};
    if (!copy_options(&tier->options) || !create_parts(tier, options)) {
        redis_tier_destroy(tier);
        return NULL;
    }
    return tier;
}

void redis_tier_start(struct redis_tier *tier)
{
    link_start(tier->link);
}

void redis_tier_stop(struct redis_tier *tier)
{
    messages_stop(tier->messages);
    link_stop(tier->link);
}

void redis_tier_destroy(struct redis_tier *tier)
{
    if (tier == NULL)
        return;
    messages_destroy(tier->messages);
    link_destroy(tier->link);
    password_destroy(tier->password);
    free(tier->channel);
    free_options(&tier->options);
    free(tier);
}

const struct shared_tier *redis_tier_door(const struct redis_tier *tier)
{
    return &tier->door;
}
