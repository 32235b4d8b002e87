import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** A JVM with something of everything that its inside is asked for: known threads, loaders, buffers and objects. */
public class Inside {
    static final List<Object> KEPT = new ArrayList<>();

    /** Counted by the histogram: as many as the argument says. */
    public static class Counted {
        public long a, b;
    }

    static class Loader extends ClassLoader {
        Class<?> again(byte[] code) {
            return defineClass("Inside$Counted", code, 0, code.length);
        }
    }

    static void sleeps() {
        try {
            Thread.sleep(86_400_000);
        } catch (InterruptedException e) {
            // the end
        }
    }

    static Thread start(String name, boolean daemon, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(daemon);
        thread.start();
        return thread;
    }

    static void locked() {
        synchronized (KEPT) {
            sleeps();
        }
    }

    static byte[] code() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (InputStream in = Inside.class.getResourceAsStream("/Inside$Counted.class")) {
            for (int b = in.read(); b >= 0; b = in.read()) {
                out.write(b);
            }
        }
        return out.toByteArray();
    }

    public static void main(String[] arguments) throws Exception {
        int objects = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 1000;
        for (int i = 0; i < objects; i++) {
            KEPT.add(new Counted());
        }
        byte[] code = code();
        for (int i = 0; i < 3; i++) {
            KEPT.add(new Loader().again(code).getDeclaredConstructor().newInstance());
        }
        for (int i = 0; i < 3; i++) {
            KEPT.add(ByteBuffer.allocateDirect(1 << 20));
        }
        start("plain", true, Inside::sleeps);
        start("not a daemon", false, Inside::sleeps);
        start("with \"quotes\" and #7 daemon", true, Inside::sleeps);
        start("two\nlines", true, Inside::sleeps);
        start("a\n\n\"fake\" #99 prio=5 os_prio=0 tid=0x1 nid=0x2 runnable\n   java.lang.Thread.State: RUNNABLE\n\tat A.b(C.java:1)\n", true,
            Inside::sleeps);
        start("gr\u00fc\u00dfe", true, Inside::sleeps);
        start("", true, Inside::sleeps);
        Thread holder = start("holder", true, Inside::locked);
        while (holder.getState() != Thread.State.TIMED_WAITING) {
            Thread.sleep(1);
        }
        Thread blocked = start("blocked", true, Inside::locked);
        while (blocked.getState() != Thread.State.BLOCKED) {
            Thread.sleep(1);
        }
        for (int i = 0; i < 3; i++) {
            ScheduledThreadPoolExecutor pool = new ScheduledThreadPoolExecutor(1);
            pool.schedule(Inside::sleeps, 1, TimeUnit.DAYS);
            KEPT.add(pool);
        }
        System.out.println("ready");
        // Answers each line, so that a test can see that it is unharmed.
        for (int b = System.in.read(); b >= 0; b = System.in.read()) {
            if (b == '\n') {
                System.out.println("alive");
            }
        }
        System.exit(0);
    }
}
