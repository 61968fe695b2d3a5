// A C++ program that uses an installed filch through its C functions: the macros that
// take options by name are C, so options are filled in as a struct.
#include <filch/filch.h>

#include <cstdio>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

static int square(filch_worker *, size_t begin, size_t end, void *ctx)
{
    auto *value = static_cast<long *>(ctx);

    for (size_t i = begin; i < end; i++)
        value[i] *= value[i];
    return 0;
}

struct Fib {
    int n;
    long result;
};

static int fib(filch_worker *w, void *ctx)
{
    auto *f = static_cast<Fib *>(ctx);

    if (f->n < 2) {
        f->result = f->n;
        return 0;
    }
    Fib left{f->n - 1, 0}, right{f->n - 2, 0};
    int err = filch_join(w, fib, &left, fib, &right);
    f->result = left.result + right.result;
    return err;
}

static int by_number(const void *left, const void *right, void *)
{
    const int a = *static_cast<const int *>(left), b = *static_cast<const int *>(right);

    return (a > b) - (a < b);
}

static int check(const char *what, long got, long expected)
{
    if (got == expected)
        return 0;
    std::fprintf(stderr, "%s: %ld instead of %ld\n", what, got, expected);
    return 1;
}

int main()
{
    std::vector<long> value(100000, 3);
    filch_pool_options pool_options{};
    filch_opts opts{};
    filch_pool *pool;
    Fib f{20, 0};
    int failed = 0;

    pool_options.struct_size = sizeof pool_options;
    pool_options.abi = FILCH_HOT_ABI;
    pool_options.workers = 3;
    failed |= check("create", filch_pool_create(&pool, &pool_options), 0);

    opts.struct_size = sizeof opts;
    opts.abi = FILCH_HOT_ABI;
    opts.ctx = value.data();
    opts.pool = pool;
    failed |= check("for", filch_for_with(0, value.size(), square, &opts), 0);
    failed |= check("sum", std::accumulate(value.begin(), value.end(), 0L), 900000);
    const std::vector<double> measured{1.5, 2, 1};
    double total = 0;
    failed |= check("typed", filch_sum(measured.data(), measured.size(), &total), 0);
    std::vector<double> keys = measured;
    std::vector<const char *> names{"b", "c", "a"};
    failed |=
        check("sort", filch_sort_pairs(keys.data(), names.data(), keys.size(), &opts), 0);
    failed |= check("sorted", std::string(names[0]) == "a" && keys[2] == 2, 1);
    failed |= check("total", static_cast<long>(2 * total), 9);
    std::vector<int> numbers{3, 1, 2};
    failed |= check("sort_by",
                    filch_sort_with(numbers.data(), 3, sizeof(int), by_number, &opts), 0);
    failed |= check("sorted_by", numbers[0] == 1 && numbers[2] == 3, 1);
    std::vector<const char *> words{"b", "c", "a"};
    failed |= check("strings", filch_sort_strings(words.data(), words.size()), 0);
    failed |= check("first", std::strcmp(words[0], "a"), 0);
    int64_t product = 0;
    const int32_t factors[] = {2, 3};
    failed |= check("dot", filch_dot(factors, factors, 2, &product, &opts), 0);
    failed |= check("product", static_cast<long>(product), 13);
    struct filch_moments moments;
    failed |= check("moments", filch_moments(factors, 2, &moments), 0);
    failed |= check("variance", filch_variance_sample(&moments) == 0.5, 1);
    filch_pool_destroy(pool);

    failed |= check("join", filch_join(nullptr, fib, &f, fib, &f), 0);
    failed |= check("fib(20)", f.result, 6765);
    failed |= check("version", std::string(filch_version()).empty(), 0);
    return failed;
}
