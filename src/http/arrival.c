/* SPDX-License-Identifier: Apache-2.0 */
#include "arrival.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <utlist.h>

/* The lowest bits of `turn`; above them the turns are counted. */
enum { TURN_OF_CLIENT = 0, TURN_OF_SERVER = 1, TURN_CUT_OFF = 2, TURN_MASK = 3 };

/* Of an answer, or it would keep its body in memory for as long as the client likes. */
enum { LEAST_BYTES_PER_MS = 1 };

/* For us to read what came before a client's end. */
enum { AFTER_END_MS = 5 * 1000 };

/* Of tcpi_state; the header that names it has a tcp_info of its own. */
enum { STATE_CLOSE_WAIT = 8 };

bool arrivals_init(struct arrivals *arrivals)
{
    arrivals->first = NULL;
    return pthread_mutex_init(&arrivals->lock, NULL) == 0;
}

void arrivals_finish(struct arrivals *arrivals)
{
    pthread_mutex_destroy(&arrivals->lock);
}

void arrival_open(struct arrivals *arrivals, struct arrival *arrival, int fd, int64_t now_ms)
{
    *arrival = (struct arrival){.fd = fd, .quiet.since_ms = now_ms};
    atomic_init(&arrival->turn, TURN_OF_CLIENT);
    pthread_mutex_lock(&arrivals->lock);
    DL_PREPEND2(arrivals->first, arrival, previous, next);
    pthread_mutex_unlock(&arrivals->lock);
}

void arrival_close(struct arrivals *arrivals, struct arrival *arrival)
{
    pthread_mutex_lock(&arrivals->lock);
    DL_DELETE2(arrivals->first, arrival, previous, next);
    pthread_mutex_unlock(&arrivals->lock);
}

/* Relaxed order is enough here and below: nothing but the turn itself is handed over by it. */
bool arrival_complete(struct arrival *arrival)
{
    uint_fast64_t turn = atomic_load_explicit(&arrival->turn, memory_order_relaxed);

    return (turn & TURN_MASK) == TURN_OF_CLIENT &&
           atomic_compare_exchange_strong_explicit(&arrival->turn, &turn, turn | TURN_OF_SERVER,
                                                   memory_order_relaxed, memory_order_relaxed);
}

void arrival_next(struct arrival *arrival)
{
    uint_fast64_t turn = atomic_load_explicit(&arrival->turn, memory_order_relaxed);

    if ((turn & TURN_MASK) == TURN_OF_SERVER)
        atomic_store_explicit(&arrival->turn, (turn | TURN_MASK) + 1, memory_order_relaxed);
}

/* What the kernel knows of a connection. */
struct traffic {
    uint64_t received;
    uint64_t acknowledged; /* by the client, of what was sent */
    bool is_sending;       /* there is more that the client has yet to take */
    bool has_end;          /* the client sends nothing more */
};

/* Where the kernel does not count, a first request is taken to have begun, a later one never has,
 * and nothing ever moves but the turns. */
static struct traffic traffic_of(int fd)
{
    struct tcp_info info;
    socklen_t length = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 ||
        length < offsetof(struct tcp_info, tcpi_notsent_bytes) + sizeof(info.tcpi_notsent_bytes))
        return (struct traffic){.received = 1};
    return (struct traffic){
        .received = info.tcpi_bytes_received,
        .acknowledged = info.tcpi_bytes_acked,
        .is_sending = info.tcpi_unacked > 0 || info.tcpi_notsent_bytes > 0,
        .has_end = info.tcpi_state == STATE_CLOSE_WAIT,
    };
}

static bool is_overdue(struct arrival *arrival, uint_fast64_t turn, uint64_t received,
                       int64_t now_ms, int64_t limit_ms)
{
    if (arrival->turn_seen != turn) {
        arrival->turn_seen = turn;
        arrival->bytes_seen = received;
        arrival->has_begun = false;
        return false;
    }
    if (!arrival->has_begun) {
        arrival->has_begun = received != arrival->bytes_seen;
        if (arrival->has_begun)
            arrival->since_ms = now_ms;
    }
    return arrival->has_begun && now_ms - arrival->since_ms >= limit_ms;
}

/* While we have nothing to send and it is not the client's turn either, it is we who are slow. What
 * the client sends while it is to receive does not count. */
static bool is_idle(struct arrival *arrival, uint_fast64_t turn, const struct traffic *traffic,
                    int64_t now_ms, int64_t limit_ms)
{
    uint64_t moved = traffic->acknowledged + (traffic->is_sending ? 0 : traffic->received);
    uint64_t enough = traffic->is_sending ? (uint64_t)limit_ms * LEAST_BYTES_PER_MS : 1;
    bool client_is_asked = (turn & TURN_MASK) == TURN_OF_CLIENT || traffic->is_sending;

    if (traffic->has_end && !traffic->is_sending && limit_ms > AFTER_END_MS)
        limit_ms = AFTER_END_MS;
    if (!client_is_asked || arrival->quiet.turn != turn ||
        arrival->quiet.is_sending != traffic->is_sending ||
        moved - arrival->quiet.moved >= enough) {
        arrival->quiet.is_sending = traffic->is_sending;
        arrival->quiet.turn = turn;
        arrival->quiet.moved = moved;
        arrival->quiet.since_ms = now_ms;
    }
    return now_ms - arrival->quiet.since_ms >= limit_ms;
}

/* False when the turn has changed since. */
static bool cut_off(struct arrival *arrival, uint_fast64_t turn)
{
    if ((turn & TURN_MASK) == TURN_OF_CLIENT &&
        !atomic_compare_exchange_strong_explicit(&arrival->turn, &turn, turn | TURN_CUT_OFF,
                                                 memory_order_relaxed, memory_order_relaxed))
        return false;
    (void)shutdown(arrival->fd, SHUT_RDWR);
    return true;
}

unsigned arrivals_sweep(struct arrivals *arrivals, int64_t now_ms,
                        const struct arrival_limits *limits)
{
    unsigned count = 0;
    struct arrival *arrival;

    pthread_mutex_lock(&arrivals->lock);
    DL_FOREACH2(arrivals->first, arrival, next)
    {
        uint_fast64_t turn = atomic_load_explicit(&arrival->turn, memory_order_relaxed);
        struct traffic traffic;

        if ((turn & TURN_MASK) == TURN_CUT_OFF)
            continue;
        traffic = traffic_of(arrival->fd);
        if (limits->request_ms > 0 && (turn & TURN_MASK) == TURN_OF_CLIENT &&
            is_overdue(arrival, turn, traffic.received, now_ms, limits->request_ms))
            count += cut_off(arrival, turn) ? 1 : 0;
        else if (limits->idle_ms > 0 && is_idle(arrival, turn, &traffic, now_ms, limits->idle_ms))
            (void)cut_off(arrival, turn);
    }
    pthread_mutex_unlock(&arrivals->lock);
    return count;
}

static void set_left(struct arrivals *arrivals, struct arrival *arrival,
                     void (*left)(void *context), void *context)
{
    pthread_mutex_lock(&arrivals->lock);
    arrival->left = left;
    arrival->left_context = context;
    pthread_mutex_unlock(&arrivals->lock);
}

void arrival_watch(struct arrivals *arrivals, struct arrival *arrival, void (*left)(void *context),
                   void *context)
{
    set_left(arrivals, arrival, left, context);
}

void arrival_unwatch(struct arrivals *arrivals, struct arrival *arrival)
{
    set_left(arrivals, arrival, NULL, NULL);
}

/* Requests that wait behind the parked one do not hide it: the kernel says so apart from what can
 * be read. */
static bool has_left(const struct arrival *arrival)
{
    struct pollfd connection = {.fd = arrival->fd, .events = POLLRDHUP};

    return poll(&connection, 1, 0) > 0;
}

void arrivals_look_for_left(struct arrivals *arrivals)
{
    struct arrival *arrival;

    pthread_mutex_lock(&arrivals->lock);
    DL_FOREACH2(arrivals->first, arrival, next)
    {
        if (arrival->left != NULL && has_left(arrival)) {
            arrival->left(arrival->left_context);
            arrival->left = NULL;
        }
    }
    pthread_mutex_unlock(&arrivals->lock);
}
