// tbb.cc - oneTBB's loops and joins; see peers.h.
#include "peers.h"

#include <algorithm>
#include <exception>
#include <new>

#include <sys/resource.h>

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_invoke.h>
#include <tbb/parallel_scan.h>
#include <tbb/parallel_sort.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

namespace
{

// Who waits for a join runs what it steals meanwhile on top: recursions get deep.
constexpr size_t STACK_BYTES = 64 << 20;

// That of the caller, who is of the team, grows as far as its limit says by then. The limit
// stays: the process has no other candidate.
void let_stack_grow()
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= STACK_BYTES)
        return;
    limit.rlim_cur = std::min<rlim_t>(STACK_BYTES, limit.rlim_max);
    setrlimit(RLIMIT_STACK, &limit);
}

// The arena limits who works on a loop; the control gives TBB threads beyond the CPUs, if
// so many workers were asked for.
struct Team {
    explicit Team(unsigned workers)
        : control(tbb::global_control::max_allowed_parallelism, workers),
          stacks(tbb::global_control::thread_stack_size, STACK_BYTES),
          arena(static_cast<int>(workers))
    {
        let_stack_grow();
        arena.initialize();
    }

    tbb::global_control control;
    tbb::global_control stacks;
    tbb::task_arena arena;
};

Team *team_of(void *team)
{
    return static_cast<Team *>(team);
}

void *create(unsigned workers)
{
    try {
        return new Team(workers);
    } catch (const std::exception &) {
        return nullptr;
    }
}

void destroy(void *team)
{
    delete team_of(team);
}

void parallel(size_t count, size_t most, bench_part *part, void *ctx)
{
    auto body = [=](const tbb::blocked_range<size_t> &range) {
        part(range.begin(), range.end(), ctx);
    };

    if (most > 0)
        tbb::parallel_for(tbb::blocked_range<size_t>(0, count, most), body,
                          tbb::simple_partitioner());
    else
        tbb::parallel_for(tbb::blocked_range<size_t>(0, count), body);
}

void loop(void *team, size_t count, size_t most, bench_part *part, void *ctx)
{
    if (team)
        team_of(team)->arena.execute([=] { parallel(count, most, part, ctx); });
    else
        parallel(count, most, part, ctx);
}

void enter(void *team, bench_task *inside, void *ctx)
{
    team_of(team)->arena.execute([=] { inside(ctx); });
}

// Of all joins: one of its own costs a join as much as all the rest of it. With it, the
// last function is the one that the caller runs.
tbb::task_group_context joins(tbb::task_group_context::isolated);

void join(bench_task *f, void *a, bench_task *g, void *b)
{
    tbb::parallel_invoke([=] { g(b); }, [=] { f(a); }, joins);
}

void scope(bench_spawner *inside, void *ctx)
{
    tbb::task_group group;

    inside(&group, ctx);
    group.wait();
}

void spawn(void *scope, bench_task *task, void *ctx)
{
    static_cast<tbb::task_group *>(scope)->run([=] { task(ctx); });
}

size_t thread()
{
    return static_cast<size_t>(tbb::this_task_arena::current_thread_index());
}

uint64_t fib(unsigned n)
{
    uint64_t left, right;

    if (n < 2)
        return n;
    tbb::parallel_invoke([&] { right = fib(n - 2); }, [&] { left = fib(n - 1); }, joins);
    return left + right;
}

uint64_t fib_in_team(void *team, unsigned n)
{
    return team_of(team)->arena.execute([=] { return fib(n); });
}

void sort_uint32(void *team, uint32_t *x, size_t n)
{
    team_of(team)->arena.execute([=] { tbb::parallel_sort(x, x + n); });
}

void sort_double(void *team, double *x, size_t n)
{
    team_of(team)->arena.execute([=] { tbb::parallel_sort(x, x + n); });
}

void scan_int64(void *team, const int64_t *x, int64_t *out, size_t n)
{
    team_of(team)->arena.execute([=] {
        tbb::parallel_scan(
            tbb::blocked_range<size_t>(0, n), int64_t{0},
            [=](const tbb::blocked_range<size_t> &range, int64_t sum, bool is_final) {
                if (is_final)
                    for (size_t i = range.begin(); i != range.end(); i++)
                        out[i] = sum += x[i];
                else
                    for (size_t i = range.begin(); i != range.end(); i++)
                        sum += x[i];
                return sum;
            },
            [](int64_t left, int64_t right) { return left + right; });
    });
}

} // namespace

extern "C" const bench_peer bench_peer_tbb = {
    create, destroy, loop,        enter,       join,        scope,
    spawn,  thread,  fib_in_team, sort_uint32, sort_double, scan_int64};
