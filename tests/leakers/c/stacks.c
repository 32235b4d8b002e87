/*
 * Many threads whose stacks are known: each thread notes its own, and a file gets
 * one line per thread before the program says it is ready.
 *
 *     TID START SIZE GUARD KIND
 *     4711 0x7f31c2400000 8388608 4096 default
 *
 * START and SIZE are the usable range without the guard. glibc keeps its thread
 * block inside that range, at the top; musl keeps it above, so there the mapping
 * is a little longer than SIZE.
 */
#define _GNU_SOURCE
#include "shape.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13 */
#endif

struct stack_truth {
    long number;
    const char *kind;
    bool spins;
    pid_t tid;
    void *start;
    size_t size, guard;
};

static const char *names;
static sem_t noted;

static void *note_stack(void *argument)
{
    struct stack_truth *own = argument;
    pthread_attr_t attributes;
    size_t guard;
    take_name(names, own->number);
    own->tid = (pid_t)syscall(SYS_gettid);
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &own->start, &own->size);
    pthread_attr_getguardsize(&attributes, &guard);
    pthread_attr_destroy(&attributes);
    if (own->guard == 0)
        own->guard = guard;
    sem_post(&noted);
    /* A thread that runs shows no stack pointer in /proc/PID/task/TID/syscall. */
    for (volatile unsigned long turn = 0; own->spins; turn++)
        ;
    rest();
}

static void start_noting(struct stack_truth *own, pthread_attr_t *attributes)
{
    pthread_t thread;
    errno = pthread_create(&thread, attributes, note_stack, own);
    if (errno)
        fail("thread");
    pthread_attr_destroy(attributes);
}

static void write_truth(const struct stack_truth *truth, long count, const char *path)
{
    for (long i = 0; i < count; i++)
        while (sem_wait(&noted) == -1)
            ;
    if (path == NULL)
        return;
    FILE *file = fopen(path, "w");
    if (file == NULL)
        fail(path);
    for (long i = 0; i < count; i++)
        fprintf(file, "%d %p %zu %zu %s\n", (int)truth[i].tid, truth[i].start, truth[i].size,
                truth[i].guard, truth[i].kind);
    if (fclose(file) != 0)
        fail(path);
}

static struct stack_truth *room_for(long count)
{
    struct stack_truth *truth = calloc((size_t)count, sizeof *truth);
    if (truth == NULL || sem_init(&noted, 0, 0) == -1)
        fail("set-up");
    return truth;
}

void many_threads(struct args args)
{
    long count = number(args, 0, 0);
    size_t stack = size(args, 1, 0);
    struct stack_truth *truth = room_for(count);
    names = text(args, 3, "pool-#-thread-1");
    for (long i = 0; i < count; i++) {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        if (stack && (errno = pthread_attr_setstacksize(&attributes, stack)))
            fail("stack size");
        truth[i].number = i + 1;
        truth[i].kind = stack ? "sized" : "default";
        start_noting(&truth[i], &attributes);
    }
    write_truth(truth, count, text(args, 2, NULL));
    ready("mode=many-threads threads=%ld stack=%zu guard=%zu", count, truth[0].size, truth[0].guard);
    rest();
}

static void *anonymous(size_t bytes, int flags)
{
    void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (start == MAP_FAILED)
        fail("mmap");
    return start;
}

/* Stacks of four makes in turn, and beside one make a mapping of the same size
 * that is none: what tells a stack by its size or its guard alone gets these wrong. */
void own_stacks(struct args args)
{
    enum { OWN = 512 << 10, SIZED = 256 << 10, DECOY = 1 << 20 };
    long count = number(args, 0, 0), spinning = number(args, 2, 0);
    struct stack_truth *truth = room_for(count);
    long decoys = 0;
    for (long i = 0; i < count; i++) {
        pthread_attr_t attributes;
        char *own;
        pthread_attr_init(&attributes);
        truth[i].number = i + 1;
        truth[i].spins = i < spinning;
        switch (i % 4) {
        case 0:
            truth[i].kind = "default";
            break;
        case 1:
            truth[i].kind = "sized";
            pthread_attr_setstacksize(&attributes, SIZED);
            break;
        case 2:
            truth[i].kind = "beside-decoy";
            pthread_attr_setstacksize(&attributes, DECOY);
            anonymous(DECOY, 0);
            decoys++;
            break;
        case 3:
            own = anonymous(OWN, MAP_NORESERVE);
            truth[i].kind = i % 8 == 3 ? "own-guarded" : "own";
            if (i % 8 == 3)
                mprotect(own, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE);
            pthread_attr_setstack(&attributes, own, OWN);
            break;
        }
        start_noting(&truth[i], &attributes);
    }
    write_truth(truth, count, text(args, 1, NULL));
    ready("mode=own-stacks threads=%ld decoys=%ld decoy_bytes=%d spinning=%ld", count, decoys, DECOY, spinning);
    rest();
}

/* Stacks as glibc from 2.42 on makes them: the guard is a marked page inside the
 * mapping, so neighbours merge and maps shows one long mapping for all of them. */
void guard_install(struct args args)
{
    enum { WHOLE = 256 << 10 };
    size_t guard = (size_t)sysconf(_SC_PAGESIZE);
    long count = number(args, 0, 0);
    struct stack_truth *truth = room_for(count);
    for (long i = 0; i < count; i++) {
        pthread_attr_t attributes;
        char *start = anonymous(WHOLE, MAP_NORESERVE | MAP_STACK);
        if (madvise(start, guard, MADV_GUARD_INSTALL) == -1) {
            announce("unsupported", "mode=guard-install needs=6.13");
            exit(77);
        }
        pthread_attr_init(&attributes);
        pthread_attr_setstack(&attributes, start + guard, WHOLE - guard);
        truth[i] = (struct stack_truth){.number = i + 1, .kind = "guard-install", .guard = guard};
        start_noting(&truth[i], &attributes);
    }
    write_truth(truth, count, text(args, 1, NULL));
    ready("mode=guard-install threads=%ld whole=%d guard=%zu", count, WHOLE, guard);
    rest();
}
