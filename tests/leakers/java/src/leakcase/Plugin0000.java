package leakcase;

import java.util.HashMap;
import java.util.Map;

/** What {@link Redeploy} loads under many names: a class of ordinary size. */
public final class Plugin0000 {
    private final Map<String, Long> totals = new HashMap<>();
    private String title = "plugin";
    private long handled;

    /** Adds to a total. */
    public long add(String name, long amount) {
        handled++;
        return totals.merge(name, amount, Long::sum);
    }

    /** The largest of them. */
    public long largest() {
        long most = Long.MIN_VALUE;
        for (Map.Entry<String, Long> total : totals.entrySet()) {
            most = Math.max(most, total.getValue());
        }
        return most;
    }

    /** How it is called. */
    public String title() {
        return title + " " + handled;
    }

    /** Gives it a name. */
    public void rename(String name) {
        if (name == null || name.isEmpty()) {
            throw new IllegalArgumentException("no name");
        }
        title = name;
    }
}
