package leakcase;

import org.quartz.InterruptableJob;
import org.quartz.JobExecutionContext;
import org.quartz.JobExecutionException;

/**
 * Arms a deadline, runs the body, disarms the deadline.
 *
 * <p>The deadline is armed here, on Quartz's worker thread and before the application's code is
 * entered: the stack that creates a leaked thread has no frame of the application.
 */
public class TimedJob implements InterruptableJob {
    static volatile Runnable body = () -> {};
    static volatile String deadlineMode = "none";
    static volatile long deadlineSeconds = 59 * 60;

    @Override
    public void execute(JobExecutionContext context) throws JobExecutionException {
        Deadline deadline = Deadline.of(deadlineMode);
        deadline.arm(this::interrupt, deadlineSeconds);
        try {
            body.run();
        } catch (RuntimeException e) {
            throw new JobExecutionException(e);
        } finally {
            deadline.disarm();
        }
    }

    /** The job is short: a late one has nothing to stop. */
    @Override
    public void interrupt() {}
}
