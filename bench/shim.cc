// shim.cc - the C face of Google Benchmark; see shim.h.
#include "shim.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace
{

benchmark::State &state_of(struct bench_state *state)
{
    return *reinterpret_cast<benchmark::State *>(state);
}

// What one benchmark's repetitions gave.
struct Series {
    std::string name;
    std::string error;
    std::vector<double> seconds;
    int64_t iterations = 0;
    std::vector<std::pair<std::string, double>> counters;
};

// Keeps the figures instead of printing them.
class Collector : public benchmark::BenchmarkReporter
{
  public:
    bool ReportContext(const Context &) override
    {
        return true;
    }

    void ReportRuns(const std::vector<Run> &runs) override
    {
        for (const Run &run : runs) {
            if (run.run_type != Run::RT_Iteration)
                continue; // means and the like: the visitor gets our own
            add(run);
        }
    }

    const std::vector<Series> &all() const
    {
        return series_;
    }

  private:
    void add(const Run &run)
    {
        const std::string &name = run.run_name.function_name;

        if (series_.empty() || series_.back().name != name) {
            series_.emplace_back();
            series_.back().name = name;
        }
        Series &series = series_.back();
        if (run.error_occurred) {
            series.error = run.error_message;
            return;
        }
        series.iterations = run.iterations;
        series.seconds.push_back(run.real_accumulated_time /
                                 static_cast<double>(run.iterations));
        series.counters.clear();
        for (const auto &counter : run.counters)
            series.counters.emplace_back(counter.first, counter.second.value);
    }

    std::vector<Series> series_;
};

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    size_t half = values.size() / 2;
    return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

void visit_series(const Series &series, bench_visit *visit, void *ctx)
{
    bench_figures figures = {};
    std::vector<bench_counter> counters;

    figures.name = series.name.c_str();
    if (!series.error.empty() || series.seconds.empty()) {
        figures.error = series.error.empty() ? "did not run" : series.error.c_str();
        visit(&figures, ctx);
        return;
    }
    for (const auto &counter : series.counters)
        counters.push_back({counter.first.c_str(), counter.second});
    figures.median_seconds = median(series.seconds);
    figures.min_seconds = *std::min_element(series.seconds.begin(), series.seconds.end());
    figures.iterations = series.iterations;
    figures.repetitions = static_cast<int>(series.seconds.size());
    figures.counters = counters.data();
    figures.counter_count = counters.size();
    visit(&figures, ctx);
}

} // namespace

extern "C" {

bool bench_keep_running(struct bench_state *state)
{
    return state_of(state).KeepRunning();
}

void bench_pause(struct bench_state *state)
{
    state_of(state).PauseTiming();
}

void bench_resume(struct bench_state *state)
{
    state_of(state).ResumeTiming();
}

int64_t bench_iterations(const struct bench_state *state)
{
    return reinterpret_cast<const benchmark::State *>(state)->iterations();
}

void bench_set_items(struct bench_state *state, int64_t items)
{
    state_of(state).SetItemsProcessed(items);
}

void bench_set_counter(struct bench_state *state, const char *name, double value)
{
    state_of(state).counters[name] = value;
}

void bench_skip_with_error(struct bench_state *state, const char *message)
{
    state_of(state).SkipWithError(message);
}

void bench_register(const char *name, bench_fn *fn, void *arg,
                    const struct bench_plan *plan)
{
    auto *bench = benchmark::RegisterBenchmark(name, [fn, arg](benchmark::State &state) {
        fn(reinterpret_cast<struct bench_state *>(&state), arg);
    });

    bench->UseRealTime(); // the work of other threads is not in this thread's CPU time
    if (plan->iterations > 0)
        bench->Iterations(plan->iterations);
    else if (plan->min_seconds > 0)
        bench->MinTime(plan->min_seconds);
    if (plan->repetitions > 0)
        bench->Repetitions(plan->repetitions);
}

size_t bench_run(bench_visit *visit, void *ctx)
{
    Collector collector;
    size_t failed = 0;

    benchmark::RunSpecifiedBenchmarks(&collector, ".");
    benchmark::ClearRegisteredBenchmarks();
    for (const Series &series : collector.all()) {
        visit_series(series, visit, ctx);
        failed += !series.error.empty() || series.seconds.empty();
    }
    return failed;
}

} // extern "C"
