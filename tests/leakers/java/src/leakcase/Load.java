package leakcase;

import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A server at work, and healthy: four workers make garbage at a steady rate and replace what is kept, so that the
 * heap goes up and down like a saw under every collector, its old generation too.
 */
final class Load {
    private static final int WORKERS = 4;
    private static final int OBJECT = 8 << 10;
    private static final int TICK_MS = 20;

    private Load() {}

    /**
     * Works for ever.
     *
     * @param mibPerS how much is allocated
     * @param liveMib how much of it is alive; the line {@code steady} follows when that is reached
     */
    static void run(int mibPerS, int liveMib) throws InterruptedException {
        int kept = Math.max(1, (liveMib << 20) / OBJECT);
        int perTick = Math.max(1, (int) ((long) mibPerS * (1 << 20) / OBJECT * TICK_MS / 1000 / WORKERS));
        AtomicReferenceArray<byte[]> live = new AtomicReferenceArray<>(kept);
        ExecutorService pool = Executors.newFixedThreadPool(WORKERS);
        Main.ready("load");
        for (int n = 0; n < kept; n++) {
            live.set(n, new byte[OBJECT]);
        }
        for (int worker = 0; worker < WORKERS; worker++) {
            int seed = worker;
            pool.execute(() -> work(live, perTick, new Random(seed)));
        }
        Main.say("steady");
    }

    /** A tenth of what is made replaces something that was kept: old enough to be in the old generation. */
    private static void work(AtomicReferenceArray<byte[]> live, int perTick, Random luck) {
        long due = System.nanoTime();
        long sum = 0;
        while (!Thread.currentThread().isInterrupted()) {
            for (int n = 0; n < perTick; n++) {
                byte[] made = new byte[OBJECT];
                luck.nextBytes(made);
                sum += made[(int) (sum & 0xff)] * 31L;
                if (n % 10 == 0) {
                    live.set(luck.nextInt(live.length()), made);
                }
            }
            due += TimeUnit.MILLISECONDS.toNanos(TICK_MS);
            try {
                TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
            } catch (InterruptedException e) {
                return;
            }
        }
    }
}
