package leakcase;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Memory that leaks, in the Java heap and beside it. */
final class Memory {
    private static final int WORKERS = 4;

    private Memory() {}

    /** Someone who logged in; never forgotten. A KiB each, and the map's share. */
    private static final class Session {
        final byte[] state = new byte[1024 - 16];
    }

    private static final Map<Long, Session> SESSIONS = new HashMap<>();

    /** Sessions of as many bytes, in a map that only grows. */
    static void heap(int bytes) {
        for (int n = 0; n < bytes; n += 1024) {
            SESSIONS.put((long) SESSIONS.size(), new Session());
        }
    }

    /** A body received outside the heap. */
    private static final class Upload {
        final ByteBuffer body;

        Upload(int bytes) {
            body = ByteBuffer.allocateDirect(bytes);
        }
    }

    private static final List<Upload> UPLOADS = new ArrayList<>();

    /** A direct buffer, kept. */
    static void direct(int bytes) {
        UPLOADS.add(new Upload(bytes));
    }

    /** A note of what a thread did. */
    private static final class Trail {
        final byte[] steps;

        Trail(int bytes) {
            steps = new byte[bytes];
        }
    }

    private static final ThreadLocal<List<Trail>> TRAILS = ThreadLocal.withInitial(ArrayList::new);
    private static final ExecutorService POOL = Executors.newFixedThreadPool(WORKERS);

    /** Each of four pooled threads in turn keeps a fresh trail, and none is ever removed. */
    static void threadLocal(int bytes) {
        POOL.execute(() -> TRAILS.get().add(new Trail(bytes)));
    }

    /** Full from the start, and full it stays: entries come and go. */
    static void cache(int periodMs, int bytes, int most) throws Exception {
        Map<Long, byte[]> cache = new java.util.LinkedHashMap<Long, byte[]>() {
            private static final long serialVersionUID = 1;

            @Override
            protected boolean removeEldestEntry(Map.Entry<Long, byte[]> eldest) {
                return size() > most;
            }
        };
        long[] next = {0};
        Beat.each("cache", periodMs, 0, () -> {
            cache.put(next[0]++, new byte[bytes]);
            if (next[0] == most) {
                Main.say("full");
            }
        });
    }
}
