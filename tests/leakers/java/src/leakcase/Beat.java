package leakcase;

import java.util.concurrent.TimeUnit;

/** An absolute clock: unit n is due n periods after the ready line, however late the others were. */
final class Beat {
    /** One unit of a leak. */
    interface Unit {
        void appear() throws Exception;
    }

    private Beat() {}

    /**
     * Says ready, then lets a unit appear each period.
     *
     * @param mode for the ready line
     * @param periodMs between units
     * @param count how many, 0 for no end; after the last follows the line {@code stopped}
     */
    static void each(String mode, int periodMs, int count, Unit unit) throws Exception {
        if (periodMs <= 0) {
            throw new IllegalArgumentException(mode + " wants a period in milliseconds");
        }
        Main.ready(mode);
        long due = System.nanoTime();
        for (int n = 0; count == 0 || n < count; n++) {
            due += TimeUnit.MILLISECONDS.toNanos(periodMs);
            TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
            unit.appear();
        }
        Main.say("stopped");
    }
}
