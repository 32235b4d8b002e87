package leakcase;

import java.util.Arrays;

/**
 * The Java targets: {@code Main MODE ARGUMENTS…}.
 *
 * <p>The first five modes are the founding case, an hourly job scheduled by Quartz, in the steps
 * by which its leak was isolated. The others need no Quartz. WHEN is a Quartz cron expression or
 * a number of milliseconds.
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
            case "blank", "task", "leak", "fixed", "shutdown" -> scheduled(mode, rest);
            case "many-pools" -> Pools.many(number(rest, 0), number(rest, 1));
            case "fixed-pool" -> Pools.fixed(number(rest, 0));
            case "elastic" -> Pools.elastic(number(rest, 0));
            case "renew" -> Pools.renew(number(rest, 0), number(rest, 1));
            case "warm-up" -> WarmUp.run(number(rest, 0));
            default -> throw new IllegalArgumentException(mode);
        }
        Thread.sleep(Long.MAX_VALUE);
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
        System.out.println("ready pid=" + ProcessHandle.current().pid() + " mode=" + mode);
    }

    private static int number(String[] args, int index) {
        return index < args.length ? Integer.parseInt(args[index]) : 0;
    }
}
