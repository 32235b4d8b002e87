/*
 * server SOCKET MODE …  a server on a unix socket, for `flatfoot check`: each connection is a request, and each request
 * leaks one unit.
 *
 *   server SOCKET none                 nothing
 *   server SOCKET thread [NAME]        a thread of that name (`#` is its number) that waits for ever
 *   server SOCKET fd | pipe            a descriptor of a file; a pipe (two)
 *   server SOCKET child | zombie       a child that sleeps; one that ended and is not waited for
 *   server SOCKET heap BYTES           a written block
 *   server SOCKET pool MOST            healthy: a thread for each request, up to MOST
 *   server SOCKET elastic MS           healthy: a thread for each request that ends after MS
 *   server SOCKET cache BYTES MOST     healthy: a written block for each request, up to MOST of them
 *   server SOCKET die STATUS AT        ends with STATUS at request AT
 *   server SOCKET deaf                 never listens, and is never quiet
 *   server SOCKET daemon               a child of a child in a session of its own, at the start
 *   server SOCKET stubborn             ignores SIGTERM
 *
 * A request is one byte, answered by one byte when its leak has happened. With ASK as MODE it is the client:
 * `server SOCKET ask REQUESTS [AT_ONCE]`, which ends with 1 when it was not answered.
 *
 * Unlike the other programs it does not die with its starter: that nothing of it is left is flatfoot's work. An alarm ends
 * what a failed test leaves.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int argument_count;
static char **arguments;
static const char *mode;
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static long units;

static const char *text(int index, const char *otherwise)
{
    return index < argument_count ? arguments[index] : otherwise;
}

static long number(int index, long otherwise)
{
    return index < argument_count ? strtol(arguments[index], NULL, 10) : otherwise;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* Forked children need one of their own. */
static void limit_life(void)
{
    alarm(300);
}

static struct sockaddr_un address(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at.sun_path) {
        fputs("the socket's path is too long\n", stderr);
        exit(2);
    }
    strcpy(at.sun_path, path);
    return at;
}

static void *waits(void *life_ms)
{
    long ms = (long)life_ms;
    if (ms == 0)
        for (;;)
            pause();
    usleep((useconds_t)ms * 1000);
    return NULL;
}

static void thread(const char *pattern, long number_of_it, long life_ms)
{
    pthread_t id;
    char name[64];
    const char *mark = strchr(pattern, '#');
    if (mark != NULL)
        snprintf(name, sizeof name, "%.*s%ld%s", (int)(mark - pattern), pattern, number_of_it, mark + 1);
    else
        snprintf(name, sizeof name, "%s", pattern);
    name[15] = 0; /* what the kernel keeps */
    if (pthread_create(&id, NULL, waits, (void *)life_ms) != 0)
        fail("pthread_create");
    pthread_setname_np(id, name);
    pthread_detach(id);
}

static void block(size_t bytes)
{
    /* Volatile: a block that nobody reads need not be written, says the compiler. */
    volatile char *made = malloc(bytes);
    if (made == NULL)
        fail("malloc");
    for (size_t at = 0; at < bytes; at += 512)
        made[at] = 1;
}

static void child(int ends)
{
    pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid > 0)
        return;
    /* Not the connection: whoever asked waits for its end. */
    close_range(3, ~0U, 0);
    if (ends)
        _exit(0);
    limit_life();
    for (;;)
        pause();
}

static void leak(void)
{
    pthread_mutex_lock(&counting);
    long unit = ++units;
    pthread_mutex_unlock(&counting);
    if (strcmp(mode, "thread") == 0)
        thread(text(0, "pool-#-thread-1"), unit, 0);
    else if (strcmp(mode, "fd") == 0) {
        if (open("/etc/hostname", O_RDONLY) < 0)
            fail("open");
    } else if (strcmp(mode, "pipe") == 0) {
        int ends[2];
        if (pipe(ends) != 0)
            fail("pipe");
    } else if (strcmp(mode, "child") == 0)
        child(0);
    else if (strcmp(mode, "zombie") == 0)
        child(1);
    else if (strcmp(mode, "heap") == 0)
        block((size_t)number(0, 65536));
    else if (strcmp(mode, "pool") == 0) {
        if (unit <= number(0, 8))
            thread("worker-#", unit, 0);
    } else if (strcmp(mode, "elastic") == 0)
        thread("elastic-#", unit, number(0, 500));
    else if (strcmp(mode, "cache") == 0) {
        if (unit <= number(1, 16))
            block((size_t)number(0, 65536));
    } else if (strcmp(mode, "die") == 0 && unit >= number(1, 1)) {
        fprintf(stderr, "FATAL: out of luck\n");
        _exit((int)number(0, 1));
    }
}

/* A thread for each connection, so that work can be parallel. */
static void *answer(void *connection)
{
    int fd = (int)(long)connection;
    char byte;
    if (read(fd, &byte, 1) == 1) {
        leak();
        if (write(fd, &byte, 1) != 1)
            perror("write");
    }
    close(fd);
    return NULL;
}

static int ask(const char *path)
{
    struct sockaddr_un at = address(path);
    long requests = number(0, 1), at_once = number(1, 1);
    for (long process = 0; process < at_once; process++) {
        if (fork() > 0)
            continue;
        for (long request = process; request < requests; request += at_once) {
            char byte = 'x';
            int fd = socket(AF_UNIX, SOCK_STREAM, 0);
            if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) != 0 || write(fd, &byte, 1) != 1 ||
                read(fd, &byte, 1) != 1)
                _exit(1);
            /* Until the other end is closed, too: what it had open is no leak. */
            while (read(fd, &byte, 1) > 0)
                ;
            close(fd);
        }
        _exit(0);
    }
    int status, worst = 0;
    while (wait(&status) > 0)
        if (status != 0)
            worst = 1;
    return worst;
}

static void daemonise(void)
{
    if (fork() == 0) {
        setsid();
        if (fork() != 0)
            _exit(0);
        pthread_setname_np(pthread_self(), "escaped");
        limit_life();
        for (;;)
            pause();
    }
    wait(NULL);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: server SOCKET MODE [ARGUMENTS] (see server.c)\n", stderr);
        return 2;
    }
    arguments = argv + 3;
    argument_count = argc - 3;
    mode = argv[2];
    if (strcmp(mode, "ask") == 0)
        return ask(argv[1]);
    limit_life();
    if (strcmp(mode, "deaf") == 0)
        for (volatile unsigned long spins = 0;; spins++)
            ;
    if (strcmp(mode, "daemon") == 0)
        daemonise();
    if (strcmp(mode, "stubborn") == 0)
        signal(SIGTERM, SIG_IGN);
    struct sockaddr_un at = address(argv[1]);
    unlink(argv[1]);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 128) != 0)
        fail(argv[1]);
    printf("ready pid=%d mode=%s\n", (int)getpid(), mode);
    fflush(stdout);
    for (;;) {
        pthread_t id;
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            if (errno == EINTR)
                continue;
            fail("accept");
        }
        if (pthread_create(&id, NULL, answer, (void *)(long)fd) != 0)
            fail("pthread_create");
        pthread_detach(id);
    }
}
