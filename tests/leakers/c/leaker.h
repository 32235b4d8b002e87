/*
 * What every C program here shares: a bounded life, one line that says "ready",
 * argument reading, and a clock that does not drift.
 *
 * The programs are targets: a test starts one, waits for its ready line and
 * compares what flatfoot says with what the program is known to do. So each has
 * one behaviour per mode, exact figures, and nothing clever.
 */
#ifndef LEAKER_H
#define LEAKER_H

#include <stdbool.h>
#include <stddef.h>

/* The arguments that follow the mode's name. */
struct args {
    int count;
    char **value;
};

struct mode {
    const char *name;
    const char *usage;       /* its arguments, as the help shows them */
    int required;            /* how many of them can't be left out */
    void (*run)(struct args);
};

/* Each program defines its own; a NULL name ends the table. */
extern const struct mode modes[];

long number(struct args args, int index, long otherwise);
size_t size(struct args args, int index, size_t otherwise); /* 4096, 64K, 8M, 1G */
const char *text(struct args args, int index, const char *otherwise);

/* Dies with the starter, and in any case after LEAKER_LIFETIME_S (600) seconds.
 * main calls it; a forked child must call it again, as fork clears both. */
void tether(void);

/* Prints "ready pid=N " and the text, and flushes: the set-up is done. */
void ready(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints a later line the same way, for programs that reach a second state. */
void announce(const char *state, const char *format, ...) __attribute__((format(printf, 2, 3)));

_Noreturn void fail(const char *what);
_Noreturn void rest(void);       /* sleeps for ever, uses no CPU */
void sleep_ms(double ms);

/* Calls step(1), step(2), … one a period, the first a period from now, count
 * times (0: without end), then rests. A period of 0 runs through without a
 * pause. A step that answers false has met a limit; that ends the leak, but the
 * process stays to be looked at. */
_Noreturn void every(long period_ms, long count, bool (*step)(long n));

/* Gives the calling thread the pattern's name with '#' replaced by n, cut to 15
 * bytes by the kernel as it cuts everybody's. No pattern: the name is left as
 * inherited, equal in all threads. */
void take_name(const char *pattern, long n);

/* Starts a thread; stack 0 is the C library's default. False at a limit. */
bool start_thread(void *(*body)(void *), void *argument, size_t stack, bool detached);

/* Random numbers that are the same in each run, one state per thread. */
struct dice {
    unsigned short state[3];
};
struct dice dice(unsigned seed);
double uniform(struct dice *dice, double low, double high);
double exponential(struct dice *dice, double mean);

#endif
