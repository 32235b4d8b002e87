/* leak MODE …  programs that leak one thing each, one unit a period, for ever. */
#define _GNU_SOURCE
#include "leaker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a step needs to know; every() hands it only the number. */
static const char *names;
static size_t bytes;

/* ---- threads ---- */

static void *sleeper(void *n)
{
    take_name(names, (intptr_t)n);
    rest();
}

static bool leak_joinable(long n) { return start_thread(sleeper, (void *)n, 0, false); }
static bool leak_detached(long n) { return start_thread(sleeper, (void *)n, 0, true); }

static void threads_unjoined(struct args args)
{
    names = text(args, 2, NULL);
    ready("mode=threads-unjoined period_ms=%ld", number(args, 0, 0));
    every(number(args, 0, 0), number(args, 1, 0), leak_joinable);
}

static void threads_detached(struct args args)
{
    names = text(args, 2, NULL);
    ready("mode=threads-detached period_ms=%ld", number(args, 0, 0));
    every(number(args, 0, 0), number(args, 1, 0), leak_detached);
}

/* Two schedules that feed one pattern: pool numbers are shared, cadences are not. */
static atomic_long pools;

static bool leak_pool(long n)
{
    (void)n;
    return start_thread(sleeper, (void *)++pools, 0, false);
}

static void *second_schedule(void *period_ms)
{
    take_name("schedule-2", 0);
    every((intptr_t)period_ms, 0, leak_pool);
}

static void threads_mixed(struct args args)
{
    names = text(args, 2, "pool-#-thread-1");
    ready("mode=threads-mixed periods_ms=%ld,%ld", number(args, 0, 0), number(args, 1, 0));
    if (!start_thread(second_schedule, (void *)number(args, 1, 0), 0, false))
        fail("second schedule");
    every(number(args, 0, 0), 0, leak_pool);
}

/* A thread that ended but was never joined has no task any more, only its stack. */
static void *ends_at_once(void *nothing) { return nothing; }
static bool leak_exited(long n) { return start_thread(ends_at_once, (void *)n, 0, false); }

static void threads_exited(struct args args)
{
    ready("mode=threads-exited period_ms=%ld", number(args, 0, 0));
    every(number(args, 0, 0), number(args, 1, 0), leak_exited);
}

/* ---- memory ---- */

static bool leak_reservation(long n)
{
    (void)n;
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

/* Equal anonymous neighbours become one mapping; a guard page keeps them apart,
 * so that their number grows as it does for stacks. */
static bool leak_guarded_reservation(long n)
{
    (void)n;
    size_t guard = (size_t)sysconf(_SC_PAGESIZE);
    char *block = mmap(NULL, guard + bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return block != MAP_FAILED && mprotect(block + guard, bytes, PROT_READ | PROT_WRITE) == 0;
}

static void mmap_untouched(struct args args)
{
    bool apart = strcmp(text(args, 3, "merged"), "apart") == 0;
    bytes = size(args, 1, 0);
    ready("mode=mmap-untouched period_ms=%ld bytes=%zu mappings=%s", number(args, 0, 0), bytes,
          apart ? "apart" : "merged");
    every(number(args, 0, 0), number(args, 2, 0), apart ? leak_guarded_reservation : leak_reservation);
}

static bool leak_heap(long n)
{
    char *block = malloc(bytes);
    if (block)
        memset(block, (int)(n | 1), bytes);
    /* Nothing keeps the block, which the compiler must not notice: it would
     * leave out the writing. */
    __asm__ volatile("" : : "r"(block) : "memory");
    return block != NULL;
}

static void malloc_leak(struct args args)
{
    bytes = size(args, 1, 0);
    ready("mode=malloc-leak period_ms=%ld bytes=%zu", number(args, 0, 0), bytes);
    every(number(args, 0, 0), number(args, 2, 0), leak_heap);
}

/* Freed memory the allocator can't give back or use again. Each block is touched
 * and then shrunk in place to a crumb: the tail is free, but the crumbs stop tails
 * from joining, and the next round's blocks are larger than any tail. Nearly all
 * of the heap's growth is free memory, which is why it is no leak. */
enum { FIRST_BLOCK = 16 << 10, LARGER = 64, CRUMB = 24, MMAP_THRESHOLD = 128 << 10 };

static bool strand_freed_memory(long n)
{
    size_t block = FIRST_BLOCK + LARGER * (size_t)n;
    if (block >= MMAP_THRESHOLD) {
        errno = ERANGE;
        return false;
    }
    size_t count = bytes / block;
    char **blocks = malloc(count * sizeof *blocks);
    if (blocks == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        memset(blocks[i] = malloc(block), 1, block);
    for (size_t i = 0; i < count; i++)
        blocks[i] = realloc(blocks[i], CRUMB);
    free(blocks);
    return true;
}

static void malloc_retention(struct args args)
{
    bytes = size(args, 1, 0);
    ready("mode=malloc-retention period_ms=%ld bytes=%zu live_share=%.4f", number(args, 0, 0), bytes,
          32.0 / FIRST_BLOCK);
    every(number(args, 0, 0), number(args, 2, 0), strand_freed_memory);
}

/* ---- descriptors ---- */

static bool leak_file(long n) { (void)n; return open("/proc/self/exe", O_RDONLY) != -1; }
static bool leak_socket(long n) { (void)n; return socket(AF_UNIX, SOCK_STREAM, 0) != -1; }
static bool leak_eventfd(long n) { (void)n; return eventfd(0, 0) != -1; }
static bool leak_epoll(long n) { (void)n; return epoll_create1(0) != -1; }
static bool leak_memfd(long n) { (void)n; return memfd_create("leaked", 0) != -1; }
static bool leak_pipe(long n)
{
    int ends[2];
    (void)n;
    return pipe(ends) != -1;
}

static const struct {
    const char *name;
    bool (*step)(long n);
    int descriptors; /* in one step */
} kinds[] = {
    {"files", leak_file, 1},       {"sockets", leak_socket, 1}, {"pipes", leak_pipe, 2},
    {"eventfds", leak_eventfd, 1}, {"epolls", leak_epoll, 1},   {"memfds", leak_memfd, 1},
};

static void fds(struct args args)
{
    const char *kind = text(args, 1, "files");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, kind) != 0)
            continue;
        ready("mode=fds kind=%s period_ms=%ld per_period=%d", kind, number(args, 0, 0), kinds[i].descriptors);
        every(number(args, 0, 0), number(args, 2, 0), kinds[i].step);
    }
    errno = EINVAL;
    fail(kind);
}

/* ---- children ---- */

static bool leak_child(long n)
{
    (void)n;
    pid_t child = fork();
    if (child == 0) {
        tether();
        rest();
    }
    return child != -1;
}

static bool leak_zombie(long n)
{
    (void)n;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return child != -1;
}

static void children(struct args args)
{
    bool zombies = strcmp(text(args, 2, "sleeping"), "zombies") == 0;
    ready("mode=children period_ms=%ld kind=%s", number(args, 0, 0), zombies ? "zombies" : "sleeping");
    every(number(args, 0, 0), number(args, 1, 0), zombies ? leak_zombie : leak_child);
}

const struct mode modes[] = {
    {"threads-unjoined", "PERIOD_MS [COUNT] [NAME, # is the number]", 1, threads_unjoined},
    {"threads-detached", "PERIOD_MS [COUNT] [NAME]", 1, threads_detached},
    {"threads-mixed", "PERIOD_MS PERIOD_MS [NAME]", 2, threads_mixed},
    {"threads-exited", "PERIOD_MS [COUNT]", 1, threads_exited},
    {"mmap-untouched", "PERIOD_MS SIZE [COUNT] [merged|apart]", 2, mmap_untouched},
    {"malloc-leak", "PERIOD_MS SIZE [COUNT]", 2, malloc_leak},
    {"malloc-retention", "PERIOD_MS SIZE [COUNT]", 2, malloc_retention},
    {"fds", "PERIOD_MS [files|sockets|pipes|eventfds|epolls|memfds] [COUNT]", 1, fds},
    {"children", "PERIOD_MS [COUNT] [sleeping|zombies]", 1, children},
    {0},
};
