/*
 * tether COMMAND ARGUMENTS…  runs the command so that it can't be left behind.
 *
 * Both limits of leaker.c's tether() survive execve, so this does for a JVM what
 * the C programs do for themselves, without a second process: the pid is kept.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: tether COMMAND [ARGUMENTS]\n", stderr);
        return 2;
    }
    const char *lifetime = getenv("LEAKER_LIFETIME_S");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(lifetime ? (unsigned)atoi(lifetime) : 600);
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    return 127;
}
