import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Pools, objects and direct buffers that are held in known ways, as many as each command of its input says; it answers
 * each with a line of its own.
 */
public class Holders {
    static class Late implements Runnable {
        public void run() {}
    }

    /** Counted and found by their class. */
    static class Session {
        long number;
    }

    static class Trail {
        long number;
    }

    static class Note {
        long number;
    }

    static class Upload {
        final ByteBuffer body = ByteBuffer.allocateDirect(65_536);
        final ByteBuffer view = body.duplicate();
    }

    static class Registry {
        final Map<String, ExecutorService> pools = new HashMap<>();
    }

    static final List<Object> KEPT = new ArrayList<>();
    static final Registry REGISTRY = new Registry();
    static final List<WeakReference<ScheduledExecutorService>> WEAK = new ArrayList<>();
    static final List<Future<?>> FUTURES = new ArrayList<>();
    static final Map<Long, Session> SESSIONS = new HashMap<>();
    static final LinkedList<Note> NOTES = new LinkedList<>();
    static final List<Upload> UPLOADS = new ArrayList<>();
    static final ThreadLocal<List<Trail>> TRAILS = ThreadLocal.withInitial(ArrayList::new);
    static ExecutorService worker;

    static ScheduledExecutorService pool(int number) {
        ScheduledExecutorService own = Executors.newScheduledThreadPool(1, task -> {
            Thread thread = new Thread(task, Holders.kind + "-" + number);
            thread.setDaemon(true);
            return thread;
        });
        Future<?> future = own.schedule(new Late(), 1, TimeUnit.HOURS);
        if (kind.equals("future")) {
            FUTURES.add(future);
        }
        return own;
    }

    static volatile String kind;

    static void command(String name, int count) throws Exception {
        kind = name;
        for (int n = 0; n < count; n++) {
            switch (name) {
                case "alone":
                case "future":
                    pool(n);
                    break;
                case "listed":
                    KEPT.add(pool(n));
                    break;
                case "wrapped":
                    REGISTRY.pools.put(name + n, Executors.unconfigurableScheduledExecutorService(pool(n)));
                    break;
                case "weak":
                    WEAK.add(new WeakReference<>(pool(n)));
                    break;
                case "local":
                case "virtual":
                    // A local variable of a thread that waits has it; since 21 that thread may be a virtual one.
                    int number = n;
                    Runnable waits = () -> {
                        ScheduledExecutorService own = pool(number);
                        try {
                            Thread.sleep(86_400_000);
                        } catch (InterruptedException e) {
                            own.shutdown();
                        }
                    };
                    if (name.equals("virtual")) {
                        Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, waits);
                    } else {
                        Thread waiter = new Thread(waits, "waiter");
                        waiter.setDaemon(true);
                        waiter.start();
                    }
                    // Its worker runs when it has been made.
                    while (Thread.getAllStackTraces().keySet().stream().noneMatch(t -> t.getName().equals(name + "-" + number))) {
                        Thread.sleep(1);
                    }
                    break;
                case "timer":
                    new Timer("timer-0", true).schedule(new TimerTask() {
                        public void run() {}
                    }, 3_600_000);
                    break;
                case "sessions":
                    SESSIONS.put((long) SESSIONS.size(), new Session());
                    break;
                case "notes":
                    NOTES.add(new Note());
                    break;
                case "trails":
                    if (worker == null) {
                        worker = Executors.newFixedThreadPool(1, task -> {
                            Thread thread = new Thread(task, "trailer");
                            thread.setDaemon(true);
                            return thread;
                        });
                    }
                    worker.submit(() -> TRAILS.get().add(new Trail())).get();
                    break;
                case "uploads":
                    UPLOADS.add(new Upload());
                    break;
                case "garbage":
                    System.gc();
                    break;
                default:
                    throw new IllegalArgumentException(name);
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        System.out.println("ready");
        java.util.Scanner input = new java.util.Scanner(System.in);
        while (input.hasNext()) {
            String name = input.next();
            command(name, input.nextInt());
            System.out.println("done " + name);
        }
    }
}
