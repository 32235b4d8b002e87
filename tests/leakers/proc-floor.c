/*
 * proc-floor maps|touched|threads PID, proc-floor processes  the least that a look can cost.
 *
 * Starts, opens and reads the files that the kernel offers for it, one after the
 * other, drops what it read, and ends. No parsing, no output: what another reader
 * of the same files costs beyond this is its own; what this costs nobody saves.
 *
 *     maps       /proc/PID/maps
 *     touched    the same, and PAGEMAP_SCAN over it in chunks of 8 MB, as a target's
 *                mmap should not wait long (Linux 6.7; nothing without it)
 *     threads    /proc/PID/task and each stat in it: the only file with a thread's
 *                birth, name and state
 *     processes  /proc, and of each process statm and the links of task: its sizes and how
 *                many threads it has, no names, births or states
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static char buffer[64 << 10];
static char listing[64 << 10];

static long drop(int dir, const char *name)
{
    int file = openat(dir, name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    long total = 0, got;
    while ((got = read(file, buffer, sizeof buffer)) > 0)
        total += got;
    close(file);
    return total;
}

/* linux/fs.h, from 6.7 on: struct pm_scan_arg. */
struct scan {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
enum { PRESENT = 1 << 3, SWAPPED = 1 << 4, PFNZERO = 1 << 5 };
#define PAGEMAP_SCAN _IOWR('f', 16, struct scan)

static uint64_t regions[512 * 3];

static long scan(int pagemap, uint64_t start, uint64_t end)
{
    long calls = 0;
    while (start < end) {
        struct scan ask = {
            .size = sizeof ask, .start = start, .end = end < start + (8 << 20) ? end : start + (8 << 20),
            .vec = (uintptr_t)regions, .vec_len = 512, .category_inverted = PFNZERO, .category_mask = PFNZERO,
            .category_anyof_mask = PRESENT | SWAPPED, .return_mask = PRESENT,
        };
        if (ioctl(pagemap, PAGEMAP_SCAN, &ask) < 0)
            return calls;
        calls++;
        start = ask.end;
    }
    return calls;
}

/* Adjacent mappings, and those that a chunk has room for, in one go. */
static long touched(const char *pid)
{
    static char all[16 << 20];
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/maps", pid);
    int maps = open(path, O_RDONLY | O_CLOEXEC);
    long length = 0, got;
    while (length < (long)sizeof all - (64 << 10) && (got = read(maps, all + length, 64 << 10)) > 0)
        length += got;
    close(maps);
    snprintf(path, sizeof path, "/proc/%.20s/pagemap", pid);
    int pagemap = open(path, O_RDONLY | O_CLOEXEC);
    uint64_t from = 0, to = 0;
    long calls = 0;
    for (char *line = all; line && *line; line = memchr(line, '\n', all + length - line), line = line ? line + 1 : line) {
        char *after;
        uint64_t start = strtoull(line, &after, 16), end = strtoull(after + 1, NULL, 16);
        if (start >> 63)
            break;
        if (to && end - from > (8 << 20)) {
            calls += scan(pagemap, from, to);
            from = start;
        } else if (!to) {
            from = start;
        }
        to = end;
    }
    calls += scan(pagemap, from, to);
    close(pagemap);
    return calls;
}

/* One read: these files are one record. */
static long drop_record(int dir, const char *name)
{
    int file = openat(dir, name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    long got = read(file, buffer, sizeof buffer);
    close(file);
    return got > 0 ? got : 0;
}

static long drop_each(const char *dir_name, const char *file_name, const char *counted)
{
    int dir = open(dir_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return 0;
    long total = 0;
    ssize_t got;
    char name[64];
    while ((got = getdents64(dir, listing, sizeof listing)) > 0)
        for (ssize_t at = 0; at < got;) {
            struct dirent64 *entry = (struct dirent64 *)(listing + at);
            at += entry->d_reclen;
            if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
                continue;
            snprintf(name, sizeof name, "%.20s/%s", entry->d_name, file_name);
            total += drop_record(dir, name);
            if (counted) {
                struct statx links;
                snprintf(name, sizeof name, "%.20s/%s", entry->d_name, counted);
                if (!statx(dir, name, 0, STATX_NLINK, &links))
                    total += links.stx_nlink;
            }
        }
    close(dir);
    return total;
}

int main(int argc, char **argv)
{
    char path[64];
    const char *what = argc > 1 ? argv[1] : "";
    const char *pid = argc > 2 ? argv[2] : "self";
    long total = 0;
    if (!strcmp(what, "maps")) {
        snprintf(path, sizeof path, "/proc/%.20s/maps", pid);
        total = drop(AT_FDCWD, path);
    } else if (!strcmp(what, "touched")) {
        total = touched(pid);
    } else if (!strcmp(what, "threads")) {
        snprintf(path, sizeof path, "/proc/%.20s/task", pid);
        total = drop_each(path, "stat", NULL);
    } else if (!strcmp(what, "processes")) {
        total = drop_each("/proc", "statm", "task");
    } else {
        fputs("usage: proc-floor maps|touched|threads PID | proc-floor processes\n", stderr);
        return 2;
    }
    return total == 0;
}
