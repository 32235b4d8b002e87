/*
 * healthy MODE …  programs that look like a leaker for a while and are none.
 *
 * Each is the twin of a leak: threads, memory or children appear, and the reason
 * why that is all right is bounded and known.
 */
#define _GNU_SOURCE
#include "leaker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *names;

/* ---- a pool of fixed size, filled while it starts ---- */

static void *idle_worker(void *n)
{
    take_name(names, (intptr_t)n);
    rest();
}

static void fixed_pool(struct args args)
{
    long workers = number(args, 0, 0), grow_ms = number(args, 1, 1000);
    names = text(args, 2, "worker-#");
    for (long n = 1; n <= workers; n++) {
        if (!start_thread(idle_worker, (void *)n, 0, true))
            fail("worker");
        sleep_ms((double)grow_ms / (double)workers);
    }
    ready("mode=fixed-pool workers=%ld", workers);
    rest();
}

/* ---- an elastic pool: idle workers end, bursts of work bring new ones ---- */

enum { IDLE_MS = 600 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work;
    long jobs, workers, idle, born;
    double job_ms;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER};

static void *elastic_worker(void *n)
{
    take_name(names, (intptr_t)n);
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        struct timespec until;
        int late = 0;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += IDLE_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pool.idle++;
        while (pool.jobs == 0 && late != ETIMEDOUT)
            late = pthread_cond_timedwait(&pool.work, &pool.lock, &until);
        pool.idle--;
        if (pool.jobs == 0)
            break;
        pool.jobs--;
        double job_ms = pool.job_ms;
        pthread_mutex_unlock(&pool.lock);
        sleep_ms(job_ms);
        pthread_mutex_lock(&pool.lock);
    }
    pool.workers--;
    pthread_mutex_unlock(&pool.lock);
    return NULL;
}

static void elastic(struct args args)
{
    long most = number(args, 0, 0);
    names = text(args, 1, "pool-1-thread-#");
    struct dice luck = dice(1);
    ready("mode=elastic most=%ld", most);
    for (;;) {
        long burst = (long)uniform(&luck, 1, (double)most);
        pthread_mutex_lock(&pool.lock);
        pool.jobs += burst;
        pool.job_ms = uniform(&luck, 20, 200);
        /* As a cached pool does: a new worker only when no idle one is left. */
        for (long lacking = pool.jobs - pool.idle; lacking > 0 && pool.workers < most; lacking--) {
            if (start_thread(elastic_worker, (void *)++pool.born, 0, true))
                pool.workers++;
        }
        pthread_cond_broadcast(&pool.work);
        pthread_mutex_unlock(&pool.lock);
        sleep_ms(exponential(&luck, 350));
    }
}

/* ---- workers of a fixed life, one born each period: only survivors are seen ---- */

static double life_ms;

static void *mortal(void *n)
{
    take_name(names, (intptr_t)n);
    sleep_ms(life_ms);
    return NULL;
}

static bool renew_one(long n) { return start_thread(mortal, (void *)n, 0, true); }

static void *tell_when_steady(void *nothing)
{
    sleep_ms(life_ms);
    announce("steady", "mode=renew");
    return nothing;
}

static void renew(struct args args)
{
    long period_ms = number(args, 1, 0);
    life_ms = (double)number(args, 0, 0);
    names = text(args, 2, "pool-#-thread-1");
    ready("mode=renew life_ms=%.0f period_ms=%ld alive_when_steady=%.0f", life_ms, period_ms,
          life_ms / (double)period_ms);
    start_thread(tell_when_steady, NULL, 0, true);
    every(period_ms, 0, renew_one);
}

/* ---- births at random times, lives of random length: bounded on average ---- */

struct random_life {
    long n;
    double ms;
};

static void *random_mortal(void *argument)
{
    struct random_life life = *(struct random_life *)argument;
    free(argument);
    take_name(names, life.n);
    sleep_ms(life.ms);
    return NULL;
}

static void poisson(struct args args)
{
    double gap_ms = (double)number(args, 0, 0), mean_life_ms = (double)number(args, 1, 0);
    struct dice luck = dice(2);
    names = text(args, 2, "pool-#-thread-1");
    ready("mode=poisson gap_ms=%.0f life_ms=%.0f alive_on_average=%.0f", gap_ms, mean_life_ms,
          mean_life_ms / gap_ms);
    for (long n = 1;; n++) {
        sleep_ms(exponential(&luck, gap_ms));
        struct random_life *life = malloc(sizeof *life);
        *life = (struct random_life){n, exponential(&luck, mean_life_ms)};
        if (!start_thread(random_mortal, life, 0, true))
            free(life);
    }
}

/* ---- a cache that fills to its cap, then replaces its oldest entry ---- */

static size_t entry_bytes, entries;
static char **slots;

static bool put_entry(long n)
{
    char **slot = &slots[(size_t)(n - 1) % entries];
    free(*slot);
    *slot = malloc(entry_bytes);
    memset(*slot, (int)(n | 1), entry_bytes);
    if ((size_t)n == entries)
        announce("full", "mode=cache bytes=%zu", entries * entry_bytes);
    return true;
}

static void cache(struct args args)
{
    entry_bytes = size(args, 1, 1);
    entries = size(args, 2, 1) / entry_bytes;
    slots = calloc(entries, sizeof *slots);
    ready("mode=cache cap=%zu entry=%zu full_after_ms=%zu", entries * entry_bytes, entry_bytes,
          entries * (size_t)number(args, 0, 0));
    every(number(args, 0, 0), 0, put_entry);
}

/* ---- a server under load: a short-lived thread and descriptor per connection ---- */

static double request_gap_ms;
static struct sockaddr_in address;

static void *serve_one(void *connection)
{
    int fd = (int)(intptr_t)connection;
    char request[64];
    struct dice luck = dice((unsigned)fd);
    take_name("conn-#", fd);
    if (read(fd, request, sizeof request) > 0) {
        sleep_ms(uniform(&luck, 2, 40));
        if (write(fd, "done\n", 5) != 5)
            take_name("gone-#", fd);
    }
    close(fd);
    return NULL;
}

static _Noreturn void *ask(void *seed)
{
    struct dice luck = dice((unsigned)(uintptr_t)seed);
    char answer[8];
    take_name("client-#", (intptr_t)seed);
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && write(fd, "ask\n", 4) == 4)
            while (read(fd, answer, sizeof answer) > 0)
                ;
        close(fd);
        sleep_ms(exponential(&luck, request_gap_ms));
    }
}

static void server(struct args args)
{
    enum { CLIENTS = 4 };
    long per_second = number(args, 0, 40);
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) == -1 || listen(listener, 64) == -1 ||
        getsockname(listener, (struct sockaddr *)&address, &length) == -1)
        fail("listen on loopback");
    request_gap_ms = 1000.0 * CLIENTS / (double)per_second;
    for (intptr_t n = 1; n <= CLIENTS; n++)
        start_thread(ask, (void *)n, 0, true);
    ready("mode=server port=%d requests_per_s=%ld", ntohs(address.sin_port), per_second);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd != -1 && !start_thread(serve_one, (void *)(intptr_t)fd, 0, true))
            close(fd);
    }
}

/* ---- children of a fixed life, all waited for ---- */

static bool respawn_one(long n)
{
    (void)n;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    pid_t child = fork();
    if (child == 0) {
        tether();
        sleep_ms(life_ms);
        _exit(0);
    }
    return child != -1;
}

static void respawn(struct args args)
{
    life_ms = (double)number(args, 0, 0);
    ready("mode=respawn life_ms=%.0f period_ms=%ld", life_ms, number(args, 1, 0));
    every(number(args, 1, 0), 0, respawn_one);
}

const struct mode modes[] = {
    {"fixed-pool", "WORKERS [GROW_MS] [NAME, # is the number]", 1, fixed_pool},
    {"elastic", "MOST [NAME]", 1, elastic},
    {"renew", "LIFE_MS PERIOD_MS [NAME]", 2, renew},
    {"poisson", "MEAN_GAP_MS MEAN_LIFE_MS [NAME]", 2, poisson},
    {"cache", "PERIOD_MS ENTRY_SIZE CAP", 3, cache},
    {"server", "[REQUESTS_PER_S]", 0, server},
    {"respawn", "LIFE_MS PERIOD_MS", 2, respawn},
    {0},
};
