package leakcase;

import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Interrupts a job that overruns. One instance per firing. */
abstract class Deadline {
    protected Future<?> pending;

    abstract void arm(Runnable onLate, long seconds);

    void disarm() {
        if (pending != null) {
            pending.cancel(true);
        }
    }

    static Deadline of(String mode) {
        switch (mode) {
            case "none": return new NoDeadline();
            case "leak": return new FreshPool();
            case "fixed": return new SharedPool();
            case "shutdown": return new ClosingPool();
            default: throw new IllegalArgumentException(mode);
        }
    }

    private static final class NoDeadline extends Deadline {
        @Override
        void arm(Runnable onLate, long seconds) {}
    }

    /** The bug: a one-thread pool per firing, of which only the task is ever cancelled. */
    private static final class FreshPool extends Deadline {
        @Override
        void arm(Runnable onLate, long seconds) {
            ScheduledExecutorService own = Executors.newScheduledThreadPool(1);
            pending = own.schedule(onLate, seconds, TimeUnit.SECONDS); // birth: leak
        }
    }

    /** The cure that was released: one named pool of three for everybody. */
    private static final class SharedPool extends Deadline {
        private static final AtomicInteger NUMBER = new AtomicInteger();
        private static final ScheduledExecutorService SHARED = Executors.newScheduledThreadPool(
                3, task -> new Thread(task, "job-deadline-" + NUMBER.incrementAndGet()));

        @Override
        void arm(Runnable onLate, long seconds) {
            pending = SHARED.schedule(onLate, seconds, TimeUnit.SECONDS);
        }
    }

    /** Another cure: the fresh pool is shut down with its job. */
    private static final class ClosingPool extends Deadline {
        private ScheduledExecutorService own;

        @Override
        void arm(Runnable onLate, long seconds) {
            own = Executors.newScheduledThreadPool(1);
            pending = own.schedule(onLate, seconds, TimeUnit.SECONDS);
        }

        @Override
        void disarm() {
            super.disarm();
            own.shutdownNow();
        }
    }
}
