/* shape MODE …  programs that hold something unusual of a known size, and keep still. */
#define _GNU_SOURCE
#include "shape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

size_t page = 4096;

const char *json(const struct holding *holdings, size_t count)
{
    static char buffer[8192];
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(buffer + used, sizeof buffer - used,
                                 "%c{\"class\":\"%s\",\"start\":\"%#lx\",\"reserved\":%zu,\"committed\":%zu,"
                                 "\"touched\":%zu,\"exact\":%s}",
                                 i ? ',' : '[', holdings[i].class, (unsigned long)holdings[i].start,
                                 holdings[i].reserved, holdings[i].committed, holdings[i].touched,
                                 holdings[i].exact ? "true" : "false");
    snprintf(buffer + used, sizeof buffer - used, "]");
    return buffer;
}

void write_pages(void *start, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += page)
        ((volatile char *)start)[at] = 1;
}

void read_pages(const void *start, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += page)
        (void)((const volatile char *)start)[at];
}

void *map_apart(size_t bytes)
{
    char *region = mmap(NULL, bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED || mprotect(region + page, bytes, PROT_READ | PROT_WRITE) == -1)
        fail("mmap");
    return region + page;
}

/* ---- the zero page: reading maps it, and touches nothing ---- */

static void calloc_read(struct args args)
{
    size_t bytes = size(args, 0, 64 << 20);
    char *only_read = map_apart(bytes), *half_written = map_apart(bytes);
    char *zeroed = calloc(1, bytes);
    if (zeroed == NULL || bytes < 1 << 20)
        fail("calloc of at least 1M");
    read_pages(only_read, bytes);
    read_pages(zeroed, bytes);
    read_pages(half_written, bytes);
    write_pages(half_written, bytes / 2);
    /* A block this large is a mapping of its own. calloc itself writes the
     * allocator's header before it, and musl's also a mark in its last page. */
#ifdef __GLIBC__
    size_t written = page;
#else
    size_t written = 2 * page;
#endif
    struct holding truth[] = {
        {"only-read", only_read, bytes, bytes, 0, true},
        {"half-written", half_written, bytes, bytes, bytes / 2, true},
        {"calloc", (void *)((uintptr_t)zeroed & ~(page - 1)), bytes + page, bytes + page, written, true},
    };
    ready("mode=calloc-read truth=%s", json(truth, 3));
    rest();
}

/* ---- very many mappings ---- */

void split_into_mappings(long count)
{
    size_t each = 2 * page;
    char *region = map_apart((size_t)count * each);
    for (long i = 0; i < count; i++) {
        char *mapping = region + (size_t)i * each;
        *mapping = 1;
        if (i % 2 && mprotect(mapping, each, PROT_READ) == -1)
            fail("mprotect (vm.max_map_count?)");
    }
}

static void many_maps(struct args args)
{
    long count = number(args, 0, 0);
    split_into_mappings(count);
    ready("mode=many-maps mappings=%ld guards=2 reserved=%zu touched=%zu", count, (size_t)count * 2 * page,
          (size_t)count * page);
    rest();
}

/* ---- names that try to break a reader ---- */

static const struct {
    const char *kind, *name;
} hostile_names[] = {
    {"newline", "new\nline\n"},
    {"escape", "\033[31mred\033[0m"},
    {"utf8", "bad\xff\xfe\xc3utf8"},
    {"paren", "x) R 1 (y) Z 2"},
    {"backslash", "tab\tback\\slash"},
    {"html", "<b>&\"'</b>"},
    {"empty", ""},
};
enum { HOSTILE = sizeof hostile_names / sizeof *hostile_names };

static void *hostile_thread(void *index)
{
    prctl(PR_SET_NAME, hostile_names[(intptr_t)index].name);
    rest();
}

/* A file whose name ends as the kernel marks a deleted one, and one whose name
 * has a line break and an escape sequence. The caller owns the folder. */
static void map_hostile_files(const char *folder)
{
    static const char *const files[] = {"kept (deleted)", "line\nbreak \033[31m rw-p 00000000 [heap]"};
    for (size_t i = 0; i < 2; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        int fd = open(path, O_RDWR | O_CREAT, 0600);
        if (fd == -1 || ftruncate(fd, 1 << 20) == -1 ||
            mmap(NULL, 1 << 20, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
            fail(path);
    }
}

static void hostile(struct args args)
{
    const char *own = text(args, 0, "paren");
    if (args.count > 1)
        map_hostile_files(args.value[1]);
    for (intptr_t i = 0; i < HOSTILE; i++) {
        if (!start_thread(hostile_thread, (void *)i, 0, true))
            fail("thread");
        if (strcmp(hostile_names[i].kind, own) == 0)
            prctl(PR_SET_NAME, hostile_names[i].name);
    }
    sleep_ms(50); /* for the threads to take their names */
    ready("mode=hostile process_name=%s threads=%d", own, HOSTILE);
    rest();
}

/* ---- a process that ends while it is being looked at ---- */

static void exits(struct args args)
{
    if (number(args, 1, 0))
        split_into_mappings(number(args, 1, 0));
    ready("mode=exits after_ms=%ld", number(args, 0, 0));
    sleep_ms((double)number(args, 0, 0));
    _exit(0); /* not exit: the shortest way out, as a crash would take it */
}

/* Huge pages would round what is touched up to 2 MiB and void the figures. */
static void exact(void (*mode)(struct args), struct args args)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    mode(args);
}

static void run_calloc_read(struct args args) { exact(calloc_read, args); }
static void run_many_maps(struct args args) { exact(many_maps, args); }
static void run_exits(struct args args) { exact(exits, args); }
static void run_classes(struct args args) { exact(classes, args); }

const struct mode modes[] = {
    {"calloc-read", "[SIZE]", 0, run_calloc_read},
    {"many-maps", "COUNT", 1, run_many_maps},
    {"many-threads", "COUNT [STACK_SIZE, 0: default] [TRUTH_FILE] [NAME, # is the number]", 1, many_threads},
    {"own-stacks", "COUNT TRUTH_FILE [SPINNING]", 2, own_stacks},
    {"guard-install", "COUNT TRUTH_FILE", 2, guard_install},
    {"classes", "FOLDER [SHM_NAME]", 1, run_classes},
    {"hostile", "[newline|escape|utf8|paren|backslash|html|empty] [FOLDER]", 0, hostile},
    {"exits", "AFTER_MS [MAPPINGS]", 1, run_exits},
    {0},
};
