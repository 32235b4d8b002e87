// cpp-threads PERIOD_MS [COUNT]: watchdogs that are made with new and forgotten.
//
// Each holds a thread, and the thread holds its mutex while it waits, as a class
// with a background thread does whose destructor never runs.
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>

class Watchdog {
public:
    Watchdog() : thread_([this] { watch(); }) {}
    ~Watchdog()
    {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            stopped_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }

private:
    void watch()
    {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [this] { return stopped_; });
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopped_ = false;
    std::thread thread_; // last: it uses all of the above
};

static void serve_request()
{
    new Watchdog; // the leak: nobody keeps it, so nobody can stop it
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        std::fputs("usage: cpp-threads PERIOD_MS [COUNT]\n", stderr);
        return 2;
    }
    const char *lifetime = std::getenv("LEAKER_LIFETIME_S");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(lifetime ? std::stoi(lifetime) : 600);

    const std::chrono::milliseconds period(std::stol(argv[1]));
    const long count = argc > 2 ? std::stol(argv[2]) : 0;
    std::printf("ready pid=%d mode=cpp-threads period_ms=%s\n", getpid(), argv[1]);
    std::fflush(stdout);

    auto next = std::chrono::steady_clock::now();
    for (long n = 1; count == 0 || n <= count; n++) {
        std::this_thread::sleep_until(next += period);
        serve_request();
    }
    for (;;)
        pause();
}
