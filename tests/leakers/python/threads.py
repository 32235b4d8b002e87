#!/usr/bin/python3
"""threads.py PERIOD_MS [COUNT]: threads that wait for an event nobody sets.

Python gives them names of their own (Thread-7), but CPython before 3.14 does not
tell the kernel: there all of them have the process's name, so only their births
and stacks tell them from others. Debian's python3 is used for that.
"""

import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1


def tether():
    """Die with the starter, and in any case after ten minutes."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.alarm(int(os.environ.get("LEAKER_LIFETIME_S", "600")))


def handle_request():
    """The leak: the event is local, so the thread can never be told to end."""
    done = threading.Event()
    threading.Thread(target=done.wait, daemon=True).start()


def main():
    period = int(sys.argv[1]) / 1000
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    tether()
    print(f"ready pid={os.getpid()} mode=python-threads period_ms={sys.argv[1]}", flush=True)
    due, born = time.monotonic(), 0
    while count == 0 or born < count:
        due += period
        time.sleep(max(0, due - time.monotonic()))
        handle_request()
        born += 1
    signal.pause()


if __name__ == "__main__":
    main()
