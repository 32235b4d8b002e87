#!/bin/bash
# run-java.sh MODE ARGUMENTS…  runs a Java target in this very process; the modes
# are in java/src/leakcase/Main.java. JAVA is the java to run it with (default: the
# one in PATH; target/tools/jdk-N/bin/java are others), JOPTS replaces the JVM's
# flags, LEAKERS the folder that build.sh filled.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
built=${LEAKERS:-$here/../../target/leakers}
jars=/usr/share/java
# shellcheck disable=SC2086 # several flags in one variable
exec "$built/tether" "${JAVA:-java}" ${JOPTS--Xms64m -Xmx512m -Xss2048k} \
    -cp "$built/leakcase.jar:$jars/quartz2.jar:$jars/slf4j-api.jar:$jars/slf4j-nop.jar" \
    leakcase.Main "$@"
