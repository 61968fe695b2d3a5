// tbb.cc - oneTBB's loops and joins; see peers.h.
#include "peers.h"

#include <new>

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_invoke.h>
#include <tbb/task_arena.h>

namespace
{

// The arena limits who works on a loop; the control gives TBB threads beyond the CPUs, if
// so many workers were asked for.
struct Team {
    explicit Team(unsigned workers)
        : control(tbb::global_control::max_allowed_parallelism, workers),
          arena(static_cast<int>(workers))
    {
        arena.initialize();
    }

    tbb::global_control control;
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

void loop(void *team, size_t count, bench_part *part, void *ctx)
{
    team_of(team)->arena.execute([=] {
        tbb::parallel_for(tbb::blocked_range<size_t>(0, count),
                          [=](const tbb::blocked_range<size_t> &range) {
                              part(range.begin(), range.end(), ctx);
                          });
    });
}

void enter(void *team, void (*inside)(void *ctx), void *ctx)
{
    team_of(team)->arena.execute([=] { inside(ctx); });
}

uint64_t fib(unsigned n)
{
    uint64_t left, right;

    if (n < 2)
        return n;
    tbb::parallel_invoke([&] { left = fib(n - 1); }, [&] { right = fib(n - 2); });
    return left + right;
}

uint64_t fib_in_team(void *team, unsigned n)
{
    return team_of(team)->arena.execute([=] { return fib(n); });
}

} // namespace

extern "C" const bench_peer bench_peer_tbb = {create, destroy, loop, enter, fib_in_team};
