/**
 * Starts threads from a stack as deep as it is told, and says what that cost the thread that starts them: each line of its
 * input has a number of threads, and frames.
 */
public class Births {
    static long cpu() throws Exception {
        try (java.io.BufferedReader in = new java.io.BufferedReader(new java.io.FileReader("/proc/thread-self/schedstat"))) {
            return Long.parseLong(in.readLine().split(" ")[0]);
        }
    }

    static long births(int count, int frames) throws Exception {
        if (frames > 1) {
            // Not inlined into one, nor a tail that a compiler takes out.
            long cost = births(count, frames - 1);
            return cost > 0 ? cost : 1;
        }
        long before = cpu();
        for (int n = 0; n < count; n++) {
            Thread thread = new Thread(() -> {});
            thread.start();
            thread.join();
        }
        return cpu() - before;
    }

    public static void main(String[] arguments) throws Exception {
        System.out.println("ready");
        java.util.Scanner input = new java.util.Scanner(System.in);
        while (input.hasNext()) {
            int count = input.nextInt();
            System.out.println(births(count, input.nextInt()) / count);
        }
    }
}
