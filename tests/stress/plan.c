/* plan.c - drawing nests, and the oracle; see plan.h. */
#include "plan.h"

const char *const kind_names[KINDS] = {
    "leaf", "leaf loop", "leaf reduction", "loop",           "reduction",
    "join", "fork",      "scope",          "chain of tasks", "far-off spawns",
};

/* Steele, Lea, Flood: splitmix64's mixer, OOPSLA 2014. */
uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t draw(uint64_t *state, uint64_t below)
{
    *state = mix(*state);
    return *state % below;
}

struct plan plan_of(uint64_t seed, unsigned depth)
{
    static const size_t grains[] = {0, 0, 0, 1, 2, 7, 64};
    static const uint32_t limits[] = {0, 0, 0, 0, 1, 2, 3, 5};
    uint64_t state = seed;
    struct plan plan = {.fails_at = SIZE_MAX, .sync_at = SIZE_MAX};

    if (depth == 0)
        plan.kind = (enum kind)(draw(&state, 4) ? LEAF : LEAF_LOOP + draw(&state, 2));
    else
        plan.kind = (enum kind)(LOOP + draw(&state, KINDS - LOOP));
    switch (plan.kind) {
    case LEAF_LOOP:
    case LEAF_REDUCE:
        plan.count = draw(&state, MOST_ITEMS);
        break;
    case JOIN:
        plan.count = 2;
        break;
    case FORKS:
        plan.count = 1 + draw(&state, MOST_FORKS);
        break;
    default:
        plan.count = draw(&state, depth > 2 ? 5 : MOST_CHILDREN);
        break;
    }
    if (plan.kind != LEAF && plan.count && draw(&state, 5) == 0) {
        plan.fails_at = draw(&state, plan.count);
        plan.fails_with = (int)draw(&state, 2000) - 1000;
        if (plan.fails_with == 0)
            plan.fails_with = INT32_MIN;
    }
    if (plan.kind == SCOPE && draw(&state, 12) == 0)
        plan.body_fails_with = 1 + (int)draw(&state, 1000);
    if (plan.kind == SCOPE && plan.count && draw(&state, 2))
        plan.sync_at = draw(&state, plan.count);
    plan.is_caught = draw(&state, 4) > 0;
    plan.grain = grains[draw(&state, sizeof grains / sizeof *grains)];
    plan.max_workers = limits[draw(&state, sizeof limits / sizeof *limits)];
    plan.variant = (unsigned)draw(&state, 1024);
    return plan;
}

uint64_t child_seed(uint64_t seed, size_t i)
{
    return mix(seed ^ mix(i + 1));
}

bool hides_errors(enum kind kind)
{
    return kind == CHAIN || kind == FAR;
}

struct result hide_error(struct result result)
{
    if (result.err)
        result = (struct result){.sum = mix((uint64_t)(int64_t)result.err)};
    return result;
}

uint64_t leaf(uint64_t seed, unsigned variant)
{
    uint64_t sum = seed;
    unsigned i;

    for (i = 0; i < 1u << variant % 11; i++)
        sum = mix(sum);
    return sum;
}

uint64_t contribution(uint64_t sum, size_t i)
{
    return mix(sum ^ (i * 31 + 7));
}

const struct fold fold_identity = {1, 0, 0};

void fold_add(struct fold *left, const struct fold *right)
{
    left->offset = left->offset * right->scale + right->offset;
    left->scale *= right->scale;
    left->items += right->items;
}

struct fold fold_of(uint64_t sum, size_t i)
{
    return (struct fold){contribution(sum, i) | 1, mix(sum + i), 1};
}

uint64_t fold_sum(const struct fold *fold)
{
    return mix(fold->scale) ^ fold->offset;
}

/* --- the oracle */

struct result oracle(uint64_t seed, unsigned depth)
{
    struct plan plan = plan_of(seed, depth);
    struct fold fold = fold_identity;
    struct result all = {0, 0};
    size_t i;

    if (plan.kind == LEAF)
        return (struct result){leaf(seed, plan.variant), 0};
    for (i = 0; i < plan.count && !all.err; i++) {
        struct result one = {0, 0};
        struct fold right;

        if (i == plan.fails_at)
            one.err = plan.fails_with;
        else if (plan.kind == LEAF_LOOP || plan.kind == LEAF_REDUCE)
            one.sum = mix(seed + i);
        else
            one = oracle(child_seed(seed, i), depth - 1);
        if (hides_errors(plan.kind) && i != plan.fails_at)
            one = hide_error(one);
        all.err = one.err;
        all.sum += contribution(one.sum, i);
        right = fold_of(one.sum, i);
        fold_add(&fold, &right);
    }
    if (plan.kind == REDUCE || plan.kind == LEAF_REDUCE)
        all.sum = fold_sum(&fold);
    if (plan.body_fails_with)
        all.err = plan.body_fails_with;
    return plan.is_caught ? hide_error(all) : all;
}
