package leakcase;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A server on a TCP port of this machine: each connection is a request of one byte, answered by one byte. */
final class Server {
    private Server() {}

    /** `fresh-pool` makes a pool for each request and never shuts it down; `shared-pool` has one for all. */
    static void serve(int port, String habit) throws Exception {
        ExecutorService shared = Executors.newFixedThreadPool(4);
        try (ServerSocket listener = new ServerSocket(port, 50, InetAddress.getLoopbackAddress())) {
            Main.ready("serve");
            while (true) {
                try (Socket request = listener.accept()) {
                    int asked = request.getInputStream().read();
                    ExecutorService pool = habit.equals("fresh-pool") ? PoolFactory.make() : shared;
                    pool.submit(() -> {}).get();
                    request.getOutputStream().write(asked);
                }
            }
        }
    }

    /** Forgets that what it makes has to be shut down. */
    static final class PoolFactory {
        private PoolFactory() {}

        static ExecutorService make() {
            ExecutorService pool = Executors.newFixedThreadPool(1);
            pool.execute(() -> {}); // birth: fresh-pool
            return pool;
        }
    }
}
