// A C++ program that uses an installed filch through its C functions: the macros that
// take options by name are C, so options are filled in as a struct.
#include <filch/filch.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
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

static int check(const char *what, long got, long expected)
{
    if (got == expected)
        return 0;
    std::fprintf(stderr, "%s: %ld instead of %ld\n", what, got, expected);
    return 1;
}

static int by_number(const void *left, const void *right, void *)
{
    const int64_t a = *static_cast<const int64_t *>(left),
                  b = *static_cast<const int64_t *>(right);

    return (a > b) - (a < b);
}

static int is_even(const void *item, void *)
{
    return *static_cast<const int64_t *>(item) % 2 == 0;
}

static int are_even(const void *items, size_t count, bool *flags, void *)
{
    for (size_t i = 0; i < count; i++)
        flags[i] = static_cast<const int64_t *>(items)[i] % 2 == 0;
    return 0;
}

using Numbers = std::vector<int64_t>;

static const size_t ITEM = sizeof(int64_t);

// check_numbers("call", what it returned, what it made, what it should have)
static int check_numbers(const char *what, int err, const Numbers &got,
                         const Numbers &expected)
{
    return check(what, err, 0) | check(what, got == expected, 1);
}

static void plus(void *left, const void *right, void *)
{
    *static_cast<int64_t *>(left) += *static_cast<const int64_t *>(right);
}

static int add_up(filch_worker *, const void *in, void *out, size_t count, void *acc,
                  void *)
{
    for (size_t i = 0; i < count; i++) {
        *static_cast<int64_t *>(acc) += static_cast<const int64_t *>(in)[i];
        if (out)
            static_cast<int64_t *>(out)[i] = *static_cast<int64_t *>(acc);
    }
    return 0;
}

static int scans(const filch_opts *opts)
{
    const Numbers in{3, 1, 2}, sums{3, 4, 6}, before{0, 3, 4};
    Numbers out(3);
    int64_t carry = 0;
    int failed = 0;

    failed |= check_numbers("scan_sum", filch_scan_sum(in.data(), 3, out.data(), opts),
                            out, sums);
    failed |= check_numbers("scan_min", filch_scan_min(in.data(), 3, out.data()), out,
                            {3, 1, 1});
    failed |= check_numbers("scan_max", filch_scan_max(in.data(), 3, out.data()), out,
                            {3, 3, 3});
    failed |= check_numbers("exscan_sum",
                            filch_exscan_sum(in.data(), 3, out.data(), &carry, opts), out,
                            before);
    failed |= check("carry", carry, 6);
    carry = 2;
    failed |= check_numbers(
        "exscan_min", filch_exscan_min(in.data(), 3, out.data(), &carry), out, {2, 2, 1});
    carry = 2;
    failed |= check_numbers(
        "exscan_max", filch_exscan_max(in.data(), 3, out.data(), &carry), out, {2, 3, 3});
    failed |= check_numbers(
        "scan", filch_scan_with(in.data(), out.data(), 3, ITEM, nullptr, plus, opts), out,
        sums);
    failed |= check_numbers(
        "scan_ranges",
        filch_scan_ranges_with(in.data(), out.data(), 3, ITEM, nullptr, add_up, opts),
        out, sums);
    carry = 0;
    failed |= check_numbers(
        "exscan", filch_exscan_with(in.data(), out.data(), 3, ITEM, &carry, plus, opts),
        out, before);
    carry = 0;
    failed |= check_numbers(
        "exscan_ranges",
        filch_exscan_ranges_with(in.data(), out.data(), 3, ITEM, &carry, add_up, opts),
        out, before);
    return failed;
}

static int packs(const filch_opts *opts)
{
    const Numbers in{4, 1, 1, 2};
    Numbers out(4);
    std::vector<size_t> at(4);
    size_t kept = 0;
    int failed = 0;
    auto first = [&] {
        return Numbers(out.begin(), out.begin() + static_cast<long>(kept));
    };

    // Of arguments the order is not known: the call comes first.
    int err = filch_filter_with(in.data(), out.data(), 4, ITEM, &kept, is_even, opts);
    failed |= check_numbers("filter", err, first(), {4, 2});
    err = filch_filter_ranges_with(in.data(), out.data(), 4, ITEM, &kept, are_even, opts);
    failed |= check_numbers("filter_ranges", err, first(), {4, 2});
    err = filch_partition_with(in.data(), out.data(), 4, ITEM, &kept, is_even, opts);
    failed |= check_numbers("partition", err, out, {4, 2, 1, 1});
    err = filch_partition_ranges_with(in.data(), out.data(), 4, ITEM, &kept, are_even,
                                      opts);
    failed |= check_numbers("partition_ranges", err, out, {4, 2, 1, 1});
    err = filch_unique_with(in.data(), out.data(), 4, ITEM, &kept, nullptr, opts);
    failed |= check_numbers("unique", err, first(), {4, 1, 2});
    err = filch_where_with(in.data(), at.data(), 4, ITEM, &kept, is_even, opts);
    failed |= check("where", err == 0 && kept == 2 && at[1] == 3, 1);
    err = filch_where_ranges_with(in.data(), at.data(), 4, ITEM, &kept, are_even, opts);
    failed |= check("where_ranges", err == 0 && kept == 2 && at[1] == 3, 1);
    err = filch_count_if_with(in.data(), 4, ITEM, &kept, is_even, opts);
    failed |= check("count_if", err == 0 && kept == 2, 1);
    err = filch_count_if_ranges_with(in.data(), 4, ITEM, &kept, are_even, opts);
    failed |= check("count_if_ranges", err == 0 && kept == 2, 1);
    return failed;
}

static int searches(const filch_opts *opts)
{
    const Numbers in{1, 3, 4, 4}, keys{4, 0};
    Numbers out(6);
    size_t at = 0, bound[2] = {9, 9};
    int answer = 0, failed = 0, err;

    // Captureless lambdas are functions.
    err = filch_find_with(
        in.data(), 4, ITEM, &at,
        [](const void *item, void *) -> int {
            return *static_cast<const int64_t *>(item) > 3;
        },
        opts);
    failed |= check("find", err == 0 && at == 2, 1);
    err = filch_find_ranges_with(in.data(), 4, ITEM, &at, are_even, opts);
    failed |= check("find_ranges", err == 0 && at == 2, 1);
    err = filch_any_with(in.data(), 4, ITEM, &answer, is_even, opts);
    failed |= check("any", err == 0 && answer == 1, 1);
    err = filch_any_ranges_with(in.data(), 2, ITEM, &answer, are_even, opts);
    failed |= check("any_ranges", err == 0 && answer == 0, 1);
    err = filch_all_with(in.data() + 2, 2, ITEM, &answer, is_even, opts);
    failed |= check("all", err == 0 && answer == 1, 1);
    err = filch_all_ranges_with(in.data(), 4, ITEM, &answer, are_even, opts);
    failed |= check("all_ranges", err == 0 && answer == 0, 1);
    err = filch_argmin_by_with(in.data(), 4, ITEM, &at, by_number, opts);
    failed |= check("argmin_by", err == 0 && at == 0, 1);
    err = filch_argmax_by_with(in.data(), 4, ITEM, &at, by_number, opts);
    failed |= check("argmax_by", err == 0 && at == 2, 1);
    err = filch_lower_bounds_with(in.data(), 4, ITEM, keys.data(), 2, ITEM, bound,
                                  by_number, opts);
    failed |= check("lower_bounds", err == 0 && bound[0] == 2 && bound[1] == 0, 1);
    err = filch_upper_bounds_with(in.data(), 4, ITEM, keys.data(), 2, ITEM, bound,
                                  by_number, opts);
    failed |= check("upper_bounds", err == 0 && bound[0] == 4 && bound[1] == 0, 1);
    err = filch_merge_with(in.data(), 4, in.data(), 2, out.data(), ITEM, by_number, opts);
    failed |= check_numbers("merge", err, out, {1, 1, 3, 3, 4, 4});
    return failed;
}

static int sorts(const filch_opts *opts)
{
    const Numbers unsorted{3, 1, 4, 2};
    Numbers x = unsorted;
    std::vector<double> keys{1.5, 2, 1};
    std::vector<const char *> names{"b", "c", "a"};
    std::vector<size_t> at(4);
    int failed = 0;

    failed |=
        check_numbers("sort_keys", filch_sort_keys(x.data(), 4, opts), x, {1, 2, 3, 4});
    x = unsorted;
    failed |= check("sort_range", filch_sort_range(x.data(), 4, 0, 1), 0);
    failed |= check("least", static_cast<long>(x[0]), 1);
    failed |= check("argsort", filch_argsort(unsorted.data(), 4, at.data(), opts), 0);
    failed |= check("place", at[0] == 1 && at[3] == 2, 1);
    failed |=
        check("sort_pairs", filch_sort_pairs(keys.data(), names.data(), 3, opts), 0);
    failed |= check("sorted", std::string(names[0]) == "a" && keys[2] == 2, 1);
    x = unsorted;
    failed |= check_numbers("sort", filch_sort_with(x.data(), 4, ITEM, by_number, opts),
                            x, {1, 2, 3, 4});
    x = unsorted;
    failed |=
        check("sort_range_by",
              filch_sort_range_by_with(x.data(), 4, ITEM, 3, 4, by_number, opts), 0);
    failed |= check("greatest", static_cast<long>(x[3]), 4);
    failed |= check(
        "argsort_by",
        filch_argsort_by_with(unsorted.data(), 4, ITEM, at.data(), by_number, opts), 0);
    failed |= check("place by", at[0] == 1 && at[3] == 2, 1);
    names = {"b", "c", "a"};
    failed |= check("strings", filch_sort_strings(names.data(), names.size()), 0);
    failed |= check("first", std::strcmp(names[0], "a"), 0);
    return failed;
}

static int emit_rests(filch_worker *, size_t begin, size_t end, filch_emitter *out,
                      void *)
{
    for (size_t i = begin; i < end; i++) {
        const uint64_t key = i % 10;
        auto *count = static_cast<uint64_t *>(filch_emit(out, i, &key, sizeof key));

        if (!count)
            return -ENOMEM;
        ++*count;
    }
    return 0;
}

static int groups(const filch_opts *opts)
{
    filch_group_by by{};
    filch_groups *rests = nullptr;
    filch_group_item *item = nullptr;
    const uint64_t key = 7;
    size_t most = 0;

    by.struct_size = sizeof by;
    by.abi = FILCH_HOT_ABI;
    by.value_bytes = by.key_bytes = sizeof(uint64_t);
    by.combine = [](void *left, void *right, void *) {
        *static_cast<uint64_t *>(left) += *static_cast<uint64_t *>(right);
    };
    if (check("group", filch_group_with(&rests, 0, 1005, emit_rests, &by, opts), 0))
        return 1;
    int failed = check("keys", static_cast<long>(filch_groups_count(rests)), 10);
    auto *count = static_cast<uint64_t *>(filch_groups_find(rests, &key, sizeof key));
    failed |= check("count of 7", count ? static_cast<long>(*count) : -1, 100);
    failed |= check("items",
                    filch_groups_items_with(rests, FILCH_GROUP_BY_FIRST, &item, opts), 0);
    failed |= check("first item", item && item[9].first == 9, 1);
    failed |= check("bytes", filch_groups_bytes(rests, &most) <= most, 1);
    filch_groups_destroy(rests);
    return failed;
}

static int find_bins(filch_worker *, size_t begin, size_t end, uint32_t *bin,
                     double *weight, void *)
{
    for (size_t i = begin; i < end; i++) {
        bin[i - begin] = static_cast<uint32_t>(i % 4);
        if (weight)
            weight[i - begin] = 0.5;
    }
    return 0;
}

static int histograms(const filch_opts *opts)
{
    const uint8_t bytes[] = {1, 2, 1};
    const uint32_t numbers[] = {1, 2, 1};
    std::vector<uint64_t> counts(256);
    std::vector<double> sums(4);
    int failed = 0;

    failed |= check("uint8", filch_histogram_uint8(bytes, 3, counts.data(), opts), 0);
    failed |=
        check("uint32", filch_histogram_uint32(numbers, 3, counts.data(), 4, opts), 0);
    failed |= check("histogram",
                    filch_histogram_with(0, 100, counts.data(), 4, find_bins, opts), 0);
    failed |= check("ones", static_cast<long>(counts[1]), 2 + 2 + 25);
    failed |=
        check("histogram_sums",
              filch_histogram_sums_with(0, 100, sums.data(), 4, find_bins, opts), 0);
    failed |= check("weight", static_cast<long>(2 * sums[3]), 25);
    return failed;
}

static int random_numbers(const filch_opts *opts)
{
    filch_random random = filch_random_stream(1, 2), again = random;
    Numbers cards(52);
    int failed = 0;

    failed |= check("bits", filch_random_next(&random) == filch_random_bits(1, 2), 1);
    failed |= check("below", filch_random_below(&again, 10) < 10, 1);
    failed |=
        check("unit", filch_random_unit(0) == 0 && filch_random_double(1, 2) < 1, 1);
    std::iota(cards.begin(), cards.end(), 0);
    failed |= check("shuffle", filch_shuffle_with(cards.data(), 52, ITEM, 1, opts), 0);
    failed |= check("cards", std::accumulate(cards.begin(), cards.end(), 0L), 51 * 26);
    failed |= check("order", std::is_sorted(cards.begin(), cards.end()), 0);
    return failed;
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
    failed |= check("total", static_cast<long>(2 * total), 9);
    int64_t product = 0;
    const int32_t factors[] = {2, 3};
    failed |= check("dot", filch_dot(factors, factors, 2, &product, &opts), 0);
    failed |= check("product", static_cast<long>(product), 13);
    struct filch_moments moments;
    failed |= check("moments", filch_moments(factors, 2, &moments), 0);
    failed |= check("variance", filch_variance_sample(&moments) == 0.5, 1);
    opts.ctx = nullptr;
    failed |=
        scans(&opts) | packs(&opts) | searches(&opts) | sorts(&opts) | groups(&opts);
    failed |= histograms(&opts) | random_numbers(&opts);
    filch_pool_destroy(pool);

    failed |= check("join", filch_join(nullptr, fib, &f, fib, &f), 0);
    failed |= check("fib(20)", f.result, 6765);
    failed |= check("version", std::string(filch_version()).empty(), 0);
    return failed;
}
