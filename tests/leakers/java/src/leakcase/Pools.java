package leakcase;

import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Thread pools of every habit, without Quartz. */
final class Pools {
    private Pools() {}

    /** One-thread pools that nobody shuts down: pool-1-thread-1, pool-2-thread-1, … */
    static void many(int count, int periodMs) throws InterruptedException {
        if (periodMs > 0) {
            Main.ready("many-pools");
        }
        long due = System.nanoTime();
        for (int n = 0; n < count; n++) {
            due += TimeUnit.MILLISECONDS.toNanos(periodMs);
            TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
            // execute starts the pool's thread; the default factory numbers the pools.
            Executors.newFixedThreadPool(1).execute(() -> {});
        }
        if (periodMs == 0) {
            Main.ready("many-pools");
        }
    }

    /** pool-1-thread-1 … pool-1-thread-N, all born in the first second. */
    static void fixed(int workers) throws InterruptedException {
        ExecutorService pool = Executors.newFixedThreadPool(workers);
        for (int n = 0; n < workers; n++) {
            pool.execute(() -> {});
            Thread.sleep(1000 / workers);
        }
        Main.ready("fixed-pool");
    }

    /** A cached pool under bursts of work; idle workers end after 0.6 s. */
    static void elastic(int most) throws InterruptedException {
        ExecutorService pool =
                new ThreadPoolExecutor(0, most, 600, TimeUnit.MILLISECONDS, new SynchronousQueue<>(),
                        new ThreadPoolExecutor.DiscardPolicy());
        Random luck = new Random(1);
        Main.ready("elastic");
        while (true) {
            int jobs = 1 + luck.nextInt(most);
            long jobMs = 20 + luck.nextInt(180);
            for (int n = 0; n < jobs; n++) {
                pool.execute(() -> pause(jobMs));
            }
            Thread.sleep((long) (-350 * Math.log(1 - luck.nextDouble())));
        }
    }

    /** Births at a steady beat, each with an end: survivors alone would look like a leak. */
    static void renew(int lifeMs, int periodMs) throws InterruptedException {
        Main.ready("renew");
        long due = System.nanoTime();
        while (true) {
            due += TimeUnit.MILLISECONDS.toNanos(periodMs);
            TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
            new Thread(() -> pause(lifeMs)).start();
        }
    }

    private static void pause(long ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
