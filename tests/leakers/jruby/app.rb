# The founding case as an application had it: a job in Ruby, scheduled by Quartz.
#
#   app.rb MODE WHEN     WHEN: a Quartz cron expression or milliseconds
#     blank      nothing is scheduled
#     task       the job, without a deadline
#     leak       the Java job wrapper arms the deadline before Ruby is entered
#     leak_ruby  Ruby code arms it, so that Ruby frames are in the creating stack
#     fixed      the wrapper, with one shared pool
#     shutdown   the wrapper, with a pool that is shut down
require 'java'
%w[quartz2 slf4j-api slf4j-nop].each { |name| require "/usr/share/java/#{name}.jar" }
require ENV.fetch('LEAKCASE_JAR')
require_relative 'hourly_report'

DEADLINES = {
  'task' => 'none', 'leak' => 'leak', 'leak_ruby' => 'none', 'fixed' => 'fixed', 'shutdown' => 'shutdown'
}.freeze

mode, cron = ARGV
unless mode == 'blank'
  report = HourlyReport.new(own_deadline: mode == 'leak_ruby')
  Java::Leakcase::Schedule.start(cron || '0 * * * * ?', DEADLINES.fetch(mode), -> { report.run })
end
puts "ready pid=#{Process.pid} mode=#{mode}"
$stdout.flush
sleep
