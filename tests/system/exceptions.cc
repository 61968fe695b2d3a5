// exceptions.cc - C++ exceptions in bodies: caught inside them all is well; they may not
// leave them.
//
// What leaves a body on its caller's thread is found in builds with assertions only (escape.h); on a
// thread of the pool nobody catches it, and C++ itself ends the process. Both happen in a
// process of its own: this program again, in a role. No cmocka, whose checks are longjmps.
#include <atomic>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// The user's own code, whose warnings are not those of the headers (filch_moments is the
// name of a struct and of functions).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include <filch/filch.h>
#pragma GCC diagnostic pop

namespace
{

int failures;

void check(bool is_right, const char *what)
{
    std::printf("%s %s\n", is_right ? "ok    " : "FAILED", what);
    failures += !is_right;
}

filch_opts options(void *ctx, filch_pool *pool = nullptr)
{
    filch_opts opts{};

    opts.struct_size = sizeof opts;
    opts.abi = FILCH_HOT_ABI;
    opts.ctx = ctx;
    opts.pool = pool;
    opts.grain = 1;
    return opts;
}

filch_pool *pool_of(unsigned workers)
{
    filch_pool_options opts{};
    filch_pool *pool = nullptr;

    opts.struct_size = sizeof opts;
    opts.abi = FILCH_HOT_ABI;
    opts.workers = workers;
    filch_pool_create(&pool, &opts);
    return pool;
}

// --- caught inside ------------------------------------------------------------------

std::atomic<unsigned> caught;

void throw_and_catch(std::size_t number)
{
    try {
        throw std::runtime_error(std::to_string(number));
    } catch (const std::runtime_error &error) {
        caught += error.what() == std::to_string(number);
    }
}

int range(filch_worker *, std::size_t begin, std::size_t end, void *)
{
    for (; begin < end; begin++)
        throw_and_catch(begin);
    return 0;
}

int fold(filch_worker *w, std::size_t begin, std::size_t end, void *acc, void *ctx)
{
    *static_cast<std::size_t *>(acc) += end - begin;
    return range(w, begin, end, ctx);
}

void add(void *left, void *right, void *)
{
    throw_and_catch(0);
    caught--;
    *static_cast<std::size_t *>(left) += *static_cast<std::size_t *>(right);
}

int task(filch_worker *w, filch_scope *, void *ctx)
{
    return range(w, 0, 10, ctx);
}

int scope_body(filch_worker *w, filch_scope *scope, void *)
{
    for (int i = 0; i < 10; i++)
        filch_spawn(w, scope, task, nullptr, 0);
    filch_sync(w, scope);
    return 0;
}

int branch(filch_worker *w, void *ctx)
{
    return range(w, 0, 50, ctx);
}

// A whole loop inside the try block: the exception passes user frames only.
int loop_and_throw(filch_worker *w, void *)
{
    try {
        filch_opts opts = options(nullptr);

        opts.worker = w;
        filch_for_with(0, 100, range, &opts);
        throw 1;
    } catch (int) {
        return filch_worker_current() == w ? 7 : 8;
    }
    return 0;
}

void check_caught(filch_pool *pool)
{
    filch_opts opts = options(nullptr, pool);
    std::size_t items = 0;

    caught = 0;
    check(filch_for_with(0, 1000, range, &opts) == 0 && caught == 1000, "loop");
    caught = 0;
    check(filch_reduce_with(0, 1000, &items, sizeof items, fold, add, &opts) == 0 &&
              caught == 1000 && items == 1000,
          "reduction");
    opts.grain = 0;
    caught = 0;
    check(filch_scope_with(scope_body, &opts) == 0 && caught == 100, "scope");
    caught = 0;
    check(filch_join(nullptr, branch, nullptr, branch, nullptr) == 0 && caught == 100,
          "join");
    check(filch_run_with(loop_and_throw, &opts) == 7, "loop inside a try block");
}

// --- escapes ------------------------------------------------------------------------

pthread_t caller;
std::atomic<unsigned> arrived;

int leave_on_caller(filch_worker *, std::size_t, std::size_t, void *)
{
    arrived++;
    while (arrived < 2)
        sched_yield();
    if (pthread_equal(pthread_self(), caller))
        throw 1;
    sleep(60); // it would go on in frames that are gone
    return 0;
}

int leave_on_thread(filch_worker *, std::size_t, std::size_t, void *)
{
    arrived++;
    while (arrived < 2)
        sched_yield();
    if (!pthread_equal(pthread_self(), caller))
        throw 1;
    sleep(60); // until the process has ended
    return 0;
}

int run_role(const char *role)
{
    const struct rlimit none = {0, 0};
    filch_opts opts = options(nullptr, pool_of(2));

    setrlimit(RLIMIT_CORE, &none);
    alarm(50);
    caller = pthread_self();
    try {
        if (std::strcmp(role, "caller") == 0)
            filch_for_with(0, 2, leave_on_caller, &opts);
        else
            filch_for_with(0, 2, leave_on_thread, &opts);
    } catch (int) {
        return 96;
    }
    return 97;
}

// Whether the role was ended by abort(); what it said is put into text.
bool is_aborted(const char *role, std::string &text)
{
    int channel[2], status = 0;
    char part[256];
    ssize_t got;

    if (pipe(channel) != 0)
        return false;
    const pid_t child = fork();
    if (child == 0) {
        dup2(channel[1], STDERR_FILENO);
        execl("/proc/self/exe", "role", role, static_cast<char *>(nullptr));
        _exit(99);
    }
    close(channel[1]);
    while ((got = read(channel[0], part, sizeof part)) > 0)
        text.append(part, static_cast<std::size_t>(got));
    close(channel[0]);
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

} // namespace

int main(int argc, char **argv)
{
    std::string text;

    if (argc > 1)
        return run_role(argv[1]);
    check(is_aborted("thread", text), "thrown out of a body on a pool's thread: aborted");
#ifndef FL_ASSERTIONS
    std::printf("skipped: thrown out of a body on its caller's thread (built without "
                "assertions)\n");
#else
    text.clear();
    check(is_aborted("caller", text) &&
              text ==
                  "filch: a body, task or branch was left by longjmp, an exception or "
                  "the end of its thread\n",
          "thrown out of a body on its caller's thread: found");
#endif
    for (unsigned workers = 1; workers <= 4; workers++) {
        filch_pool *pool = pool_of(workers);

        std::printf("%u workers:\n", workers);
        check_caught(pool);
        filch_pool_destroy(pool);
    }
    return failures != 0;
}
