#!/bin/bash
# run-jruby.sh MODE WHEN  runs the JRuby target in this very process (the jruby
# script ends in exec java); the modes are in jruby/app.rb. JOPTS replaces the
# JVM's flags, LEAKERS the folder that build.sh filled.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
built=${LEAKERS:-$here/../../target/leakers}
export LEAKCASE_JAR=$built/leakcase.jar
# The jruby script takes the stack size and the heap's limit from here too.
export JAVA_OPTS=${JOPTS--Xms64m -Xmx512m -Xss2048k}
exec "$built/tether" jruby "$here/jruby/app.rb" "$@"
