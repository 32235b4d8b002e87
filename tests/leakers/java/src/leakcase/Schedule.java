package leakcase;

import java.util.Properties;
import org.quartz.CronScheduleBuilder;
import org.quartz.JobBuilder;
import org.quartz.JobDetail;
import org.quartz.ScheduleBuilder;
import org.quartz.Scheduler;
import org.quartz.SchedulerException;
import org.quartz.SimpleScheduleBuilder;
import org.quartz.Trigger;
import org.quartz.TriggerBuilder;
import org.quartz.impl.StdSchedulerFactory;

/** The application server's part: one scheduler, one job named hourly_report. */
public final class Schedule {
    private Schedule() {}

    /**
     * Starts the job.
     *
     * @param when a Quartz cron expression, or milliseconds between firings
     * @param deadline a mode of {@link Deadline#of}
     * @param body what the job does; JRuby passes a block
     */
    public static void start(String when, String deadline, Runnable body) throws SchedulerException {
        TimedJob.deadlineMode = deadline;
        TimedJob.body = body;
        JobDetail job = JobBuilder.newJob(TimedJob.class).withIdentity("hourly_report", "app").build();
        Trigger trigger = TriggerBuilder.newTrigger()
                .withIdentity("hourly", "app")
                .withSchedule(schedule(when))
                .startNow()
                .build();
        Scheduler scheduler = new StdSchedulerFactory(settings()).getScheduler();
        scheduler.scheduleJob(job, trigger);
        scheduler.start();
    }

    private static ScheduleBuilder<?> schedule(String when) {
        return when.matches("[0-9]+")
                ? SimpleScheduleBuilder.simpleSchedule()
                        .withIntervalInMilliseconds(Long.parseLong(when))
                        .repeatForever()
                : CronScheduleBuilder.cronSchedule(when);
    }

    private static Properties settings() {
        Properties settings = new Properties();
        settings.put("org.quartz.scheduler.instanceName", "JobScheduler");
        settings.put("org.quartz.scheduler.skipUpdateCheck", "true");
        settings.put("org.quartz.threadPool.class", "org.quartz.simpl.SimpleThreadPool");
        settings.put("org.quartz.threadPool.threadCount", "5");
        return settings;
    }
}
