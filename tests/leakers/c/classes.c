/*
 * One process that holds memory of every class, each with figures of its own, so
 * that no class can hide in another's. The ready line carries them as JSON.
 */
#define _GNU_SOURCE
#include "shape.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

enum { KIB = 1 << 10, MIB = 1 << 20, MOST = 32 };

static struct holding held[MOST];
static size_t holdings;

static void hold(struct holding holding) { held[holdings++] = holding; }

static char *map_file(int fd, size_t bytes, int flags, const char *what)
{
    char *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (start == MAP_FAILED)
        fail(what);
    return start;
}

static int make_file(const char *folder, const char *name, size_t bytes, bool unlinked)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd == -1 || ftruncate(fd, (off_t)bytes) == -1 || (unlinked && unlink(path) == -1))
        fail(path);
    return fd;
}

/* Files are read or written as a whole: the kernel maps the pages around a fault
 * as well, so only then is the number of present pages certain. */
static void hold_files(const char *folder)
{
    char *start = map_file(make_file(folder, "private.dat", 3 * MIB, false), 3 * MIB, MAP_PRIVATE, "private.dat");
    read_pages(start, 3 * MIB);
    write_pages(start, 1 * MIB);
    hold((struct holding){"file-private", start, 3 * MIB, 3 * MIB, 3 * MIB, true});

    start = map_file(make_file(folder, "shared.dat", 5 * MIB, false), 5 * MIB, MAP_SHARED, "shared.dat");
    write_pages(start, 5 * MIB);
    hold((struct holding){"file-shared", start, 5 * MIB, 0, 5 * MIB, true});

    start = map_file(make_file(folder, "deleted.dat", 6 * MIB, true), 6 * MIB, MAP_SHARED, "deleted.dat");
    write_pages(start, 6 * MIB);
    hold((struct holding){"file-deleted", start, 6 * MIB, 0, 6 * MIB, true});
}

/* Shared memory is charged when its object is made, not by the mapping: no `ac`. */
static void hold_shared_memory(const char *shm_name)
{
    int id = shmget(IPC_PRIVATE, 7 * MIB, IPC_CREAT | 0600);
    char *start = shmat(id, NULL, 0);
    if (id == -1 || start == (void *)-1 || shmctl(id, IPC_RMID, NULL) == -1)
        fail("shmget");
    write_pages(start, 2 * MIB);
    hold((struct holding){"shm-sysv", start, 7 * MIB, 0, 2 * MIB, true});

    char name[64];
    snprintf(name, sizeof name, "/%s", shm_name ? shm_name : "leaker-classes");
    int fd = shm_open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd == -1 || ftruncate(fd, 9 * MIB) == -1)
        fail("shm_open");
    start = map_file(fd, 9 * MIB, MAP_SHARED, name);
    if (shm_name == NULL)
        shm_unlink(name);
    write_pages(start, 3 * MIB);
    hold((struct holding){"shm-posix", start, 9 * MIB, 0, 3 * MIB, true});

    start = map_file(-1, 10 * MIB, MAP_SHARED | MAP_ANONYMOUS, "shared anonymous");
    write_pages(start, 4 * MIB);
    hold((struct holding){"shm-anonymous", start, 10 * MIB, 0, 4 * MIB, true});

    fd = memfd_create("classes", MFD_CLOEXEC);
    if (fd == -1 || ftruncate(fd, 11 * MIB) == -1)
        fail("memfd_create");
    start = map_file(fd, 11 * MIB, MAP_SHARED, "memfd");
    write_pages(start, 5 * MIB);
    hold((struct holding){"memfd", start, 11 * MIB, 0, 5 * MIB, true});
}

static void hold_anonymous(void)
{
    char *start = map_apart(12 * MIB);
    write_pages(start, 6 * MIB);
    hold((struct holding){"anonymous", start, 12 * MIB, 12 * MIB, 6 * MIB, true});

    start = mmap(NULL, 512 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        fail("reservation");
    hold((struct holding){"reserved", start, 512 * MIB, 0, 0, true});

    int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
    start = map_file(fd, 13 * MIB, MAP_PRIVATE, "/dev/zero");
    write_pages(start, 7 * MIB);
    hold((struct holding){"device", start, 13 * MIB, 13 * MIB, 7 * MIB, true});
}

#ifdef __GLIBC__
/* The start of the main heap, which no call tells: field 47 of stat. */
static char *start_of_heap(void)
{
    char stat[2048] = "";
    int fd = open("/proc/self/stat", O_RDONLY);
    if (fd == -1 || read(fd, stat, sizeof stat - 1) <= 0)
        fail("/proc/self/stat");
    close(fd);
    char *field = strrchr(stat, ')') + 2;
    for (int i = 3; i < 47; i++)
        field = strchr(field, ' ') + 1;
    return (char *)strtoul(field, NULL, 10);
}

static void hold_heap(void)
{
    for (int i = 0; i < 14 * KIB; i++)
        memset(malloc(KIB), 1, KIB);
    char *start = start_of_heap();
    size_t reserved = (size_t)((char *)sbrk(0) - start);
    hold((struct holding){"main-heap", start, reserved, reserved, 14 * MIB, false});
}

enum { ARENAS = 4, ARENA_BYTES = 64 * MIB, ARENA_BLOCKS = 512 };

static struct holding arena[ARENAS], stack[ARENAS];
static sem_t settled;

static void *fill_arena(void *index)
{
    intptr_t i = (intptr_t)index;
    pthread_attr_t attributes;
    void *start;
    size_t reserved;
    char *block = NULL;
    for (int n = 0; n < ARENA_BLOCKS; n++)
        memset(block = malloc(KIB), 1, KIB);
    /* Arenas are aligned to their size; their reservation is uncharged (`nr`). */
    arena[i] = (struct holding){"malloc-arena", (void *)((uintptr_t)block & -(uintptr_t)ARENA_BYTES), ARENA_BYTES,
                                0, ARENA_BLOCKS * KIB, false};
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &start, &reserved);
    stack[i] = (struct holding){"thread-stack", start, reserved, reserved, 2 * page, false};
    pthread_attr_destroy(&attributes);
    sem_post(&settled);
    rest();
}

static void hold_arenas_and_stacks(void)
{
    sem_init(&settled, 0, 0);
    for (intptr_t i = 0; i < ARENAS; i++) {
        if (!start_thread(fill_arena, (void *)i, 0, true))
            fail("thread");
        sem_wait(&settled);
    }
    for (int i = 0; i < ARENAS; i++) {
        hold(arena[i]);
        hold(stack[i]);
        hold((struct holding){"guard", (char *)stack[i].start - page, page, 0, 0, true});
    }
}
#endif

void classes(struct args args)
{
    hold_files(text(args, 0, "."));
    hold_shared_memory(text(args, 1, NULL));
    hold_anonymous();
#ifdef __GLIBC__
    hold_heap();
    hold_arenas_and_stacks();
#endif
    ready("mode=classes truth=%s", json(held, holdings));
    rest();
}
