#!/bin/bash
# run-jruby.sh MODE WHEN  runs the JRuby target in this very process (the jruby
# script ends in exec java); the modes are in jruby/app.rb. APP=app_req.rb has it
# interpreted instead of compiled. JAVA is the java to run it with, JOPTS replaces
# the JVM's flags, LEAKERS the folder that build.sh filled.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
built=${LEAKERS:-$here/../../target/leakers}
export LEAKCASE_JAR=$built/leakcase.jar
# The jruby script's own name for it.
[[ -z ${JAVA:-} ]] || export JAVACMD=$JAVA
# The jruby script takes the stack size and the heap's limit from here too.
export JAVA_OPTS=${JOPTS--Xms64m -Xmx512m -Xss2048k}
exec "$built/tether" jruby "$here/jruby/${APP:-app.rb}" "$@"
