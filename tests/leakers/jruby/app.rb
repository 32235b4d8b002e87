# The founding case as an application had it: a job in Ruby, scheduled by Quartz.
#
#   app.rb MODE WHEN     WHEN: a Quartz cron expression or milliseconds
#     blank      nothing is scheduled
#     task       the job, without a deadline
#     leak       the Java job wrapper arms the deadline before Ruby is entered
#     leak_ruby  Ruby code arms it, so that Ruby frames are in the creating stack
#     fixed      the wrapper, with one shared pool
#     shutdown   the wrapper, with a pool that is shut down
#
# JRuby compiles the file that it is started with, this one too; app_req.rb requires it, and then it is interpreted
# until it is hot. So the same method makes the threads in both, and its frames look different.
require 'java'
%w[quartz2 slf4j-api slf4j-nop].each { |name| require "/usr/share/java/#{name}.jar" }
require ENV.fetch('LEAKCASE_JAR')
java_import 'java.util.concurrent.Executors'
java_import 'java.util.concurrent.TimeUnit'

# The same fault as the wrapper's, written in Ruby.
module JobTimeout
  def self.guard(seconds)
    own = Executors.newScheduledThreadPool(1) # never shut down
    late = own.schedule(-> { warn 'the report is late' }, seconds, TimeUnit::SECONDS) # birth: leak_ruby
    yield
  ensure
    late&.cancel(true)
  end
end

class HourlyReport
  def initialize(own_deadline:)
    @own_deadline = own_deadline
    @runs = 0
  end

  def run
    @own_deadline ? JobTimeout.guard(59 * 60) { build } : build
  end

  def build
    @runs += 1
  end
end

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
