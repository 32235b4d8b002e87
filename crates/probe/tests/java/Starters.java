import java.util.ArrayList;
import java.util.List;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Starts threads in the ways that leak, when it is told to: each line of its input is a command, which it answers with a
 * line of its own. The test knows the lines of this file by the marks in it.
 */
public class Starters {
    static final List<Object> KEPT = new ArrayList<>();

    /** The founding case: a pool of one for each call, never shut down. */
    static class FreshPool {
        void arm(Runnable onLate) {
            ScheduledExecutorService own = Executors.newScheduledThreadPool(1); // mark: pool
            own.schedule(onLate, 1, TimeUnit.HOURS); // mark: arm
        }
    }

    static class Late implements Runnable {
        public void run() {}
    }

    static class Tick extends TimerTask {
        public void run() {}
    }

    static void sleeps() {
        try {
            Thread.sleep(86_400_000);
        } catch (InterruptedException e) {
            // the end
        }
    }

    static void deep(int frames) throws Exception {
        if (frames > 0) {
            deep(frames - 1);
            return;
        }
        command("short", 1);
    }

    static void command(String name, int count) throws Exception {
        for (int n = 0; n < count; n++) {
            switch (name) {
                case "pool":
                    new FreshPool().arm(new Late());
                    break;
                case "lambda":
                    Executors.newFixedThreadPool(1).execute(Starters::sleeps);
                    break;
                case "periodic":
                    Executors.newScheduledThreadPool(1).scheduleAtFixedRate(new Late(), 3600, 60, TimeUnit.SECONDS);
                    break;
                case "thread":
                    Thread thread = new Thread(Starters::sleeps, "größer-" + n); // mark: new
                    thread.start(); // mark: start
                    break;
                case "fails":
                    try {
                        // No stack can be so large.
                        new Thread(null, Starters::sleeps, "huge", 1L << 46).start(); // mark: fails
                    } catch (OutOfMemoryError e) {
                        // as it should be
                    }
                    break;
                case "timer":
                    new Timer("ticker", true).schedule(new Tick(), 3_600_000, 30_000);
                    break;
                case "fork":
                    ForkJoinPool pool = new ForkJoinPool(3);
                    KEPT.add(pool);
                    pool.submit(Starters::sleeps);
                    break;
                case "deep":
                    deep(40); // mark: deep
                    break;
                case "else":
                    deep(40); // mark: else
                    break;
                case "virtual":
                    // Since 21, which this is not compiled for.
                    Runnable starts = () -> new Thread(Starters::sleeps, "of-virtual").start(); // mark: virtual
                    Object virtual = Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, starts);
                    ((Thread) virtual).join();
                    break;
                case "short":
                    Thread ends = new Thread(() -> {});
                    ends.start();
                    ends.join();
                    break;
                default:
                    throw new IllegalArgumentException(name);
            }
        }
    }

    /** Starters that go on until the end. */
    static void race(int threads) {
        for (int n = 0; n < threads; n++) {
            Thread racer = new Thread(() -> {
                try {
                    while (true) {
                        command("short", 1);
                    }
                } catch (Exception e) {
                    throw new RuntimeException(e);
                }
            });
            racer.setDaemon(true);
            racer.start();
        }
    }

    public static void main(String[] arguments) throws Exception {
        System.out.println("ready");
        java.util.Scanner input = new java.util.Scanner(System.in);
        while (input.hasNext()) {
            String name = input.next();
            int count = input.nextInt();
            if (name.equals("race")) {
                race(count);
            } else {
                long began = System.nanoTime();
                command(name, count);
                System.err.println(name + " " + count + ": " + (System.nanoTime() - began) / 1000 + " us");
            }
            System.out.println("done " + name);
        }
    }
}
