/* See leaker.h. Plain POSIX and Linux, so that musl builds it too. */
#define _GNU_SOURCE
#include "leaker.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

long number(struct args args, int index, long otherwise)
{
    return index < args.count ? strtol(args.value[index], NULL, 10) : otherwise;
}

size_t size(struct args args, int index, size_t otherwise)
{
    if (index >= args.count)
        return otherwise;
    char *unit;
    size_t bytes = strtoull(args.value[index], &unit, 10);
    switch (*unit) {
    case 'G': bytes <<= 10; /* fall through */
    case 'M': bytes <<= 10; /* fall through */
    case 'K': bytes <<= 10;
    }
    return bytes;
}

const char *text(struct args args, int index, const char *otherwise)
{
    return index < args.count ? args.value[index] : otherwise;
}

void tether(void)
{
    const char *lifetime = getenv("LEAKER_LIFETIME_S");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* The starter may have been a thread that is gone by now, or sit in another
     * pid namespace, so getppid can't tell an orphan: the alarm catches those. */
    alarm(lifetime ? (unsigned)atoi(lifetime) : 600);
}

static void line(const char *state, const char *format, va_list values)
{
    printf("%s pid=%d ", state, (int)getpid());
    vprintf(format, values);
    putchar('\n');
    fflush(stdout);
}

void ready(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    line("ready", format, values);
    va_end(values);
}

void announce(const char *state, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    line(state, format, values);
    va_end(values);
}

void fail(const char *what)
{
    perror(what);
    exit(1);
}

void rest(void)
{
    for (;;)
        pause();
}

void sleep_ms(double ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(fmod(ms, 1000) * 1e6)};
    while (nanosleep(&left, &left) == -1 && errno == EINTR)
        ;
}

void every(long period_ms, long count, bool (*step)(long n))
{
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (long n = 1; count == 0 || n <= count; n++) {
        /* Absolute times: a late wake-up must not push all later ones. */
        next.tv_nsec += period_ms % 1000 * 1000000;
        next.tv_sec += period_ms / 1000 + next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
        while (period_ms && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
            ;
        if (!step(n)) {
            announce("stopped", "after=%ld reason=%s", n - 1, strerror(errno));
            break;
        }
    }
    rest();
}

void take_name(const char *pattern, long n)
{
    if (pattern == NULL)
        return;
    const char *hole = strchr(pattern, '#');
    char name[64];
    if (hole)
        snprintf(name, sizeof name, "%.*s%ld%s", (int)(hole - pattern), pattern, n, hole + 1);
    else
        snprintf(name, sizeof name, "%s", pattern);
    /* pthread_setname_np would refuse more than 15 bytes; prctl cuts. */
    prctl(PR_SET_NAME, name);
}

bool start_thread(void *(*body)(void *), void *argument, size_t stack, bool detached)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    if (stack && (errno = pthread_attr_setstacksize(&attributes, stack)))
        fail("stack size");
    if (detached)
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    errno = pthread_create(&thread, &attributes, body, argument);
    pthread_attr_destroy(&attributes);
    return errno == 0;
}

struct dice dice(unsigned seed)
{
    return (struct dice){{0x330e, (unsigned short)seed, (unsigned short)(seed >> 16)}};
}

double uniform(struct dice *dice, double low, double high)
{
    return low + (high - low) * erand48(dice->state);
}

double exponential(struct dice *dice, double mean)
{
    return -mean * log(1 - erand48(dice->state));
}

static _Noreturn void usage(const char *program)
{
    for (const struct mode *mode = modes; mode->name; mode++)
        fprintf(stderr, "%s %s %s\n", program, mode->name, mode->usage);
    exit(2);
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *program = slash ? slash + 1 : argv[0];
    if (argc < 2)
        usage(program);
    for (const struct mode *mode = modes; mode->name; mode++) {
        if (strcmp(mode->name, argv[1]) != 0)
            continue;
        struct args args = {argc - 2, argv + 2};
        if (args.count < mode->required)
            usage(program);
        tether();
        mode->run(args);
        return 0;
    }
    usage(program);
}
