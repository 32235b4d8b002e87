/*
 * proc-floor maps|threads PID, proc-floor processes  the least that a look can cost.
 *
 * Starts, opens and reads the files that the kernel offers for it, one after the
 * other, drops what it read, and ends. No parsing, no output: what another reader
 * of the same files costs beyond this is its own; what this costs nobody saves.
 *
 *     maps       /proc/PID/maps
 *     threads    /proc/PID/task and each stat in it: the only file with a thread's
 *                birth, name and state
 *     processes  /proc and each statm in it: sizes, no names, births or states
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static long drop_each(const char *dir_name, const char *file_name)
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
    } else if (!strcmp(what, "threads")) {
        snprintf(path, sizeof path, "/proc/%.20s/task", pid);
        total = drop_each(path, "stat");
    } else if (!strcmp(what, "processes")) {
        total = drop_each("/proc", "statm");
    } else {
        fputs("usage: proc-floor maps|threads PID | proc-floor processes\n", stderr);
        return 2;
    }
    return total == 0;
}
