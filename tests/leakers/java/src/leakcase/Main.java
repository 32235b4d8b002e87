package leakcase;

import java.io.File;
import java.io.IOException;
import java.util.Arrays;

/**
 * The Java targets: {@code Main MODE ARGUMENTS…}.
 *
 * <p>The first five modes are the founding case, an hourly job scheduled by Quartz, in the steps
 * by which its leak was isolated. The others need no Quartz. WHEN is a Quartz cron expression or
 * a number of milliseconds; MS is the time between the units of a leak, COUNT ends it, SIZE is
 * {@code 64K} or {@code 2M}.
 *
 * <pre>
 * blank                      no scheduler at all
 * task WHEN                  the job, without a deadline
 * leak WHEN [DEADLINE_S]     the job with a deadline, a fresh pool for each: the bug
 * fixed WHEN [DEADLINE_S]    one shared, named pool for all deadlines: the cure
 * shutdown WHEN [DEADLINE_S] a fresh pool each, shut down with its job: another cure
 * many-pools N [PERIOD_MS]   N one-thread pools, at once or one a period
 * fixed-pool N               one pool of N, grown to its size in a second
 * elastic MOST               one cached pool that breathes with its load
 * renew LIFE_MS PERIOD_MS    a thread born each period, each living as long
 * warm-up SECONDS            loads classes, fills the heap, compiles, then is quiet
 * timer MS [COUNT]           a java.util.Timer
 * new-thread MS [COUNT]      a thread without a pool
 * cached-pool MS [COUNT]     a cached pool for each request, with a thread that waits for ever
 * forkjoin-pool MS [COUNT]   a fork-join pool of one
 * custom-factory MS [COUNT]  a pool of one whose factory has names of its own
 * virtual-threads MS [COUNT] a virtual thread that waits for ever (JDK 21 and later)
 * metaspace MS [COUNT]       an application's classes, and their loader
 * redeploy MS [COUNT]        the same, forgotten: healthy
 * direct-buffers MS SIZE [COUNT]  a direct buffer
 * heap MS SIZE [COUNT]       sessions in a map
 * threadlocal MS SIZE [COUNT]     what a pooled thread keeps for itself
 * load MIB_PER_S LIVE_MIB    a server at work: healthy
 * cache MS SIZE ENTRIES      a cache that gets full: healthy
 * serve PORT fresh-pool|shared-pool   a pool for each request, never shut down; one for all: healthy
 * </pre>
 */
public final class Main {
    private Main() {}

    public static void main(String[] args) throws Exception {
        if (args.length == 0) {
            System.err.println("usage: Main MODE ARGUMENTS (see Main.java)");
            System.exit(2);
        }
        String mode = args[0];
        String[] rest = Arrays.copyOfRange(args, 1, args.length);
        switch (mode) {
            case "blank":
            case "task":
            case "leak":
            case "fixed":
            case "shutdown":
                scheduled(mode, rest);
                break;
            case "many-pools":
                Pools.many(number(rest, 0), number(rest, 1));
                break;
            case "fixed-pool":
                Pools.fixed(number(rest, 0));
                break;
            case "elastic":
                Pools.elastic(number(rest, 0));
                break;
            case "renew":
                Pools.renew(number(rest, 0), number(rest, 1));
                break;
            case "warm-up":
                WarmUp.run(number(rest, 0));
                break;
            case "load":
                Load.run(number(rest, 0), number(rest, 1));
                break;
            case "cache":
                Memory.cache(number(rest, 0), size(rest, 1), number(rest, 2));
                break;
            case "serve":
                Server.serve(number(rest, 0), rest[1]);
                break;
            case "heap":
            case "direct-buffers":
            case "threadlocal":
                Beat.each(mode, number(rest, 0), number(rest, 2), memory(mode, size(rest, 1)));
                break;
            default:
                Beat.each(mode, number(rest, 0), number(rest, 1), unit(mode));
        }
        Thread.sleep(Long.MAX_VALUE);
    }

    private static Beat.Unit unit(String mode) {
        switch (mode) {
            case "timer":
                return Threads::timer;
            case "new-thread":
                return Threads::plain;
            case "cached-pool":
                return Threads::cachedPool;
            case "forkjoin-pool":
                return Threads::forkJoinPool;
            case "custom-factory":
                return Threads::customFactory;
            case "virtual-threads":
                return Threads::virtual;
            case "metaspace":
                return Redeploy::deploy;
            case "redeploy":
                return Redeploy::deployAndForget;
            default:
                throw new IllegalArgumentException(mode);
        }
    }

    private static Beat.Unit memory(String mode, int bytes) {
        switch (mode) {
            case "heap":
                return () -> Memory.heap(bytes);
            case "direct-buffers":
                return () -> Memory.direct(bytes);
            default:
                return () -> Memory.threadLocal(bytes);
        }
    }

    private static void scheduled(String mode, String[] rest) throws Exception {
        if (!mode.equals("blank")) {
            if (rest.length > 1) {
                TimedJob.deadlineSeconds = Long.parseLong(rest[1]);
            }
            Schedule.start(rest[0], mode.equals("task") ? "none" : mode, Main::hourlyReport);
        }
        ready(mode);
    }

    /** The job's work: nothing that matters. */
    private static void hourlyReport() {}

    static void ready(String mode) {
        System.out.println("ready pid=" + pid() + " mode=" + mode);
    }

    /** A later line, such as {@code full pid=4711}. */
    static void say(String what) {
        System.out.println(what + " pid=" + pid());
    }

    /** In the JVM's own pid namespace. Java 8 has no ProcessHandle. */
    static String pid() {
        try {
            return new File("/proc/self").getCanonicalFile().getName();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static int number(String[] args, int index) {
        return index < args.length ? Integer.parseInt(args[index]) : 0;
    }

    /** 4096, 64K, 8M. */
    private static int size(String[] args, int index) {
        String text = args[index];
        int unit = text.endsWith("K") ? 1 << 10 : text.endsWith("M") ? 1 << 20 : 1;
        return Math.multiplyExact(unit, Integer.parseInt(unit == 1 ? text : text.substring(0, text.length() - 1)));
    }
}
