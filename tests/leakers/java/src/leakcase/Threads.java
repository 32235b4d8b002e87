package leakcase;

import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Threads that leak, in the ways that are seen most often.
 *
 * <p>The statement that starts the thread is marked {@code // birth: MODE}: a test finds the line there.
 */
final class Threads {
    /** What the leaked threads wait for; never comes. */
    private static final CountDownLatch NEVER = new CountDownLatch(1);

    private Threads() {}

    /** A timer for each upload: Timer-0, Timer-1, … Its task comes each hour, so it never ends. */
    static void timer() {
        Timer expiry = new Timer(); // birth: timer
        expiry.schedule(new ExpiryCheck(), 3_600_000, 3_600_000);
    }

    private static final class ExpiryCheck extends TimerTask {
        @Override
        public void run() {}
    }

    /** A thread without a pool: Thread-0, Thread-1, … */
    static void plain() {
        Thread poller = new Thread(new Poller());
        poller.start(); // birth: new-thread
    }

    private static final class Poller implements Runnable {
        @Override
        public void run() {
            await();
        }
    }

    /** A pool for each request, whose backend never answers: pool-1-thread-1, pool-2-thread-1, … */
    static void cachedPool() {
        ExecutorService backend = Executors.newCachedThreadPool();
        backend.submit(() -> await()); // birth: cached-pool
    }

    /** The same with a fork-join pool: ForkJoinPool-1-worker-1, ForkJoinPool-2-worker-1, … */
    static void forkJoinPool() {
        ForkJoinPool split = new ForkJoinPool(1);
        split.submit(() -> await()); // birth: forkjoin-pool
    }

    /** A pool for each report, with names of its own: report-worker-1, report-worker-2, … */
    static void customFactory() {
        ExecutorService reports = Executors.newFixedThreadPool(1, new ReportThreads());
        reports.execute(() -> {}); // birth: custom-factory
    }

    private static final class ReportThreads implements ThreadFactory {
        private static final AtomicInteger NUMBER = new AtomicInteger();

        @Override
        public Thread newThread(Runnable work) {
            return new Thread(work, "report-worker-" + NUMBER.incrementAndGet());
        }
    }

    /** Virtual threads that wait for ever: no thread of the kernel for any of them. JDK 21 and later. */
    static void virtual() throws ReflectiveOperationException {
        Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, new Poller());
    }

    private static void await() {
        try {
            NEVER.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
