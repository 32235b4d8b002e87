# The job. In a file of its own, as an application would require it: JRuby
# interprets it until it is hot, which shows in the frames of a creating stack.
java_import 'java.util.concurrent.Executors'
java_import 'java.util.concurrent.TimeUnit'

# The same fault as the wrapper's, written in Ruby.
module Deadline
  def self.guard(seconds)
    own = Executors.newScheduledThreadPool(1) # never shut down
    late = own.schedule(-> { warn 'the report is late' }, seconds, TimeUnit::SECONDS)
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
    @own_deadline ? Deadline.guard(59 * 60) { build } : build
  end

  def build
    @runs += 1
  end
end
