package leakcase;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Metaspace that leaks: an application is deployed again and again, and the class loaders of the old ones stay,
 * as somebody keeps an object of theirs.
 */
final class Redeploy {
    private static final int CLASSES = 50;
    private static final String TEMPLATE = "Plugin0000";

    /** The fault: who listens is never forgotten. */
    private static final List<Object> LISTENERS = new ArrayList<>();

    private Redeploy() {}

    /** Loads the application's 50 classes, leakcase.Plugin0001 to leakcase.Plugin0050, in a loader of their own. */
    static void deploy() throws IOException, ReflectiveOperationException {
        LISTENERS.add(start());
    }

    /** The cure: nobody keeps the object, and the collector takes loader and classes. */
    static void deployAndForget() throws IOException, ReflectiveOperationException {
        start();
    }

    private static Object start() throws IOException, ReflectiveOperationException {
        AppLoader loader = new AppLoader(template());
        Object last = null;
        for (int n = 1; n <= CLASSES; n++) {
            last = loader.load(n).getDeclaredConstructor().newInstance();
        }
        return last;
    }

    private static byte[] template() throws IOException {
        try (InputStream in = Redeploy.class.getResourceAsStream(TEMPLATE + ".class")) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            byte[] some = new byte[8192];
            for (int got = in.read(some); got >= 0; got = in.read(some)) {
                all.write(some, 0, got);
            }
            return all.toByteArray();
        }
    }

    /** Makes classes of one another's likeness. */
    private static final class AppLoader extends ClassLoader {
        private final byte[] template;

        AppLoader(byte[] template) {
            super(Redeploy.class.getClassLoader());
            this.template = template;
        }

        /** The name in the class file is replaced by one of the same length. */
        Class<?> load(int number) {
            String text = new String(template, StandardCharsets.ISO_8859_1);
            byte[] renamed = text.replace(TEMPLATE, String.format("Plugin%04d", number))
                    .getBytes(StandardCharsets.ISO_8859_1);
            return defineClass(null, renamed, 0, renamed.length);
        }
    }
}
