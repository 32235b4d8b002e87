package leakcase;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A JVM in its first minutes: metaspace, code cache and heap all grow, and then they stop.
 *
 * <p>It loads the JDK's own classes a few at a time, keeps a working set it fills up to, produces
 * garbage, and runs code that is worth compiling. Needs JDK 9 or later.
 */
final class WarmUp {
    private static final int TICK_MS = 50;
    private static final int CLASSES = 4000;
    private static final int WORKING_SET = 64 << 20;

    private WarmUp() {}

    static void run(int seconds) throws IOException, InterruptedException {
        List<String> names = jdkClasses();
        List<byte[]> workingSet = new ArrayList<>();
        int ticks = seconds * 1000 / TICK_MS;
        long sum = 0;
        Main.ready("warm-up");
        for (int tick = 0; tick < ticks; tick++) {
            int from = names.size() * tick / ticks;
            int to = names.size() * (tick + 1) / ticks;
            for (String name : names.subList(from, to)) {
                load(name);
            }
            workingSet.add(new byte[WORKING_SET / ticks]);
            sum += work(tick);
            Thread.sleep(TICK_MS);
        }
        System.out.println("warm pid=" + Main.pid() + " classes=" + names.size() + " sum=" + sum);
        // Quiet from here on: garbage would go on widening the heap for a minute, and a test of
        // the warm-up's end would have to wait for that.
    }

    private static List<String> jdkClasses() throws IOException {
        Path root = FileSystems.getFileSystem(URI.create("jrt:/")).getPath("modules", "java.base");
        try (Stream<Path> files = Files.walk(root)) {
            return files.map(file -> root.relativize(file).toString())
                    .filter(file -> file.endsWith(".class") && !file.contains("-info"))
                    .sorted()
                    .limit(CLASSES)
                    .map(file -> file.substring(0, file.length() - ".class".length()).replace('/', '.'))
                    .collect(Collectors.toList());
        }
    }

    private static void load(String name) {
        try {
            Class.forName(name, false, null);
        } catch (ClassNotFoundException | LinkageError e) {
            // A few can't be loaded by name; which ones makes no difference here.
        }
    }

    private static long work(int seed) {
        StringBuilder text = new StringBuilder();
        for (int n = 0; n < 2000; n++) {
            text.append(Integer.toString(seed ^ n, 36));
        }
        return text.toString().chars().filter(Character::isDigit).count();
    }
}
