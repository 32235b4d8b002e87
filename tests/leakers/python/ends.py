#!/usr/bin/python3
"""ends.py PERIOD_MS HELPERS: a leak of threads beside threads that end when they are told to.

Each period a thread pool-N-thread-1 appears that waits for an event nobody sets. Each line on stdin ends one: `helper` the
oldest of HELPERS threads helper-N, `pool` one of the leaked, of middle age; `ended NAME` says that the kernel has it no more.
"""

import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
LIBC = ctypes.CDLL(None)


def tether():
    """Die with the starter, and in any case after ten minutes."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.alarm(int(os.environ.get("LEAKER_LIFETIME_S", "600")))


class Worker:
    """A thread that the kernel knows by a name, until it is told to end."""

    def __init__(self, name):
        self.name = name
        self.told = threading.Event()
        self.named = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        self.named.wait()

    def run(self):
        LIBC.prctl(PR_SET_NAME, self.name.encode())
        self.named.set()
        self.told.wait()

    def end(self):
        self.told.set()
        self.thread.join()
        # Joined is what Python knows; the kernel takes a moment more.
        while os.path.exists(f"/proc/self/task/{self.thread.native_id}"):
            time.sleep(0.001)


def obey(workers):
    for line in sys.stdin:
        queue = workers[line.strip()]
        # Of the leaked one in the middle: a leak begins with number 1, and who was just born nobody has seen yet.
        worker = queue.pop(0 if queue is workers["helper"] else len(queue) // 2)
        worker.end()
        print(f"ended {worker.name}", flush=True)


def main():
    period = int(sys.argv[1]) / 1000
    tether()
    workers = {"helper": [Worker(f"helper-{n}") for n in range(1, int(sys.argv[2]) + 1)], "pool": []}
    threading.Thread(target=obey, args=(workers,), daemon=True).start()
    print(f"ready pid={os.getpid()} mode=python-ends period_ms={sys.argv[1]}", flush=True)
    due, born = time.monotonic(), 0
    while True:
        due += period
        time.sleep(max(0, due - time.monotonic()))
        born += 1
        workers["pool"].append(Worker(f"pool-{born}-thread-1"))


if __name__ == "__main__":
    main()
