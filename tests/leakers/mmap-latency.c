/*
 * mmap-latency MAPPINGS SECONDS|-  what being looked at costs the one looked at.
 *
 * A process of many mappings (60,000 by the benches) maps 64 KiB, touches it and
 * unmaps it, again and again: each of these needs the lock that a reader of its
 * maps, smaps or pagemap takes. One round prints one line:
 *
 *     {"rounds":412345,"p50_us":8.1,"p99_us":17.2,"max_us":140.9}
 *
 * With "-" a round is run for each line on stdin that gives its seconds, so that
 * idle and observed rounds can take turns in the same process.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 64 << 10, MOST = 8 << 20 };

static uint32_t *took_ns; /* one per round */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void hold_mappings(long count)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), each = 2 * page;
    char *region = mmap(NULL, (size_t)count * each, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    for (long i = 0; i < count; i++) {
        region[(size_t)i * each] = 1;
        if (i % 2)
            mprotect(region + (size_t)i * each, each, PROT_READ);
    }
}

static int ascending(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static void measure(double seconds)
{
    size_t rounds = 0;
    uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
    for (uint64_t before = now_ns(), after; before < end && rounds < MOST; before = now_ns()) {
        char *block = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        *(volatile char *)block = 1;
        munmap(block, BLOCK);
        after = now_ns();
        took_ns[rounds++] = (uint32_t)(after - before);
    }
    qsort(took_ns, rounds, sizeof *took_ns, ascending);
    printf("{\"rounds\":%zu,\"p50_us\":%.2f,\"p99_us\":%.2f,\"max_us\":%.2f}\n", rounds,
           took_ns[rounds / 2] / 1e3, took_ns[rounds * 99 / 100] / 1e3, took_ns[rounds - 1] / 1e3);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: mmap-latency MAPPINGS SECONDS|-\n", stderr);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    alarm(600);
    /* On the first CPU, so that a reader on the second takes the lock, not the time. */
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    sched_setaffinity(0, sizeof first, &first);
    hold_mappings(atol(argv[1]));
    /* All written beforehand: a page fault of ours would be taken for theirs. */
    took_ns = malloc(MOST * sizeof *took_ns);
    memset(took_ns, 1, MOST * sizeof *took_ns);
    printf("ready pid=%d mappings=%s\n", (int)getpid(), argv[1]);
    fflush(stdout);
    if (strcmp(argv[2], "-") != 0) {
        measure(atof(argv[2]));
        return 0;
    }
    char line[64];
    while (fgets(line, sizeof line, stdin))
        measure(atof(line));
    return 0;
}
