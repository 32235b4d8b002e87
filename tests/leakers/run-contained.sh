#!/bin/bash
# run-contained.sh PROGRAM ARGUMENTS…  runs a program of this folder, or one that
# build.sh made, as in a container: pid 1 of a pid namespace of its own, as another
# user, with mounts of its own. Needs root.
#
# Inside, this folder is /srv/leakers, the built programs are /srv/built and the
# runtime of JAVA is /srv/java, which lie elsewhere or nowhere outside; /tmp is its
# own. The started pid is `unshare`; its only child is the program (the ready line
# has pid 1). Both die with whoever started them.
#
#   CONTAINED_AS     the user (nobody), or a number that no list of users has
#   CONTAINED_TASKS  the most tasks that this user may have (ulimit -u)
#   CONTAINED_TMP    further options of the mount at /tmp: noexec, ro, size=64k
#
# Everything that is mounted is gone with the last process.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
built=$(cd "${LEAKERS:-$here/../../target/leakers}" && pwd)
if ((EUID)); then
    echo "run-contained.sh: needs root" >&2
    exit 1
fi
java=$(readlink -f "$(command -v "${JAVA:-java}")")
export java_home=${java%/bin/java} here built

# shellcheck disable=SC2016 # for the shell inside
inside='
set -eu
mount -t tmpfs -o mode=755 tmpfs /srv
mkdir /srv/leakers /srv/built /srv/java
mount --bind "$here" /srv/leakers
mount --bind "$built" /srv/built
mount --bind "$java_home" /srv/java
mount -t tmpfs -o "mode=1777${CONTAINED_TMP:+,$CONTAINED_TMP}" tmpfs /tmp
cd /
program=$1
shift
case $program in
    *.*) program=/srv/leakers/$program ;;
    *) program=/srv/built/$program ;;
esac
user=${CONTAINED_AS:-nobody}
group=$(id -g "$user" 2>/dev/null || echo "$user")
export LEAKERS=/srv/built JAVA=/srv/java/bin/java HOME=/tmp
unset TMPDIR
[[ -z ${CONTAINED_TASKS:-} ]] || ulimit -u "$CONTAINED_TASKS"
exec setpriv --reuid "$user" --regid "$group" --clear-groups --inh-caps=-all \
    /srv/built/tether "$program" "$@"
'
exec "$built/tether" unshare --pid --fork --kill-child --mount --mount-proc bash -c "$inside" contained "$@"
