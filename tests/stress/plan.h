/* plan.h - the nests of test_nests.c: what a number describes, and what must come out.
 *
 * Knows nothing of filch. A nest is a tree of calls: a seed and a depth give its root's
 * plan, and each child has a seed of its own.
 */
#ifndef TESTS_STRESS_PLAN_H
#define TESTS_STRESS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOST_CHILDREN 16
#define MOST_ITEMS    2000
#define MOST_FORKS    5

enum kind {
    LEAF,
    LEAF_LOOP,
    LEAF_REDUCE,
    LOOP,
    REDUCE,
    JOIN,
    FORKS,
    SCOPE,
    CHAIN,
    FAR,
    KINDS
};

extern const char *const kind_names[KINDS];

struct plan {
    enum kind kind;
    size_t count;
    size_t fails_at; /* an item; SIZE_MAX: none does */
    int fails_with;
    bool is_caught; /* an error becomes a part of the checksum */
    int body_fails_with;
    size_t sync_at;
    size_t grain;
    uint32_t max_workers;
    unsigned variant;
};

struct result {
    uint64_t sum; /* when there is no error */
    int err;
};

uint64_t mix(uint64_t x);
uint64_t draw(uint64_t *state, uint64_t below);

struct plan plan_of(uint64_t seed, unsigned depth);
uint64_t child_seed(uint64_t seed, size_t i);

/* Chains and far-off spawns have no order of errors but the one that they fail with. */
bool hides_errors(enum kind kind);
struct result hide_error(struct result result);

/* The work of a leaf, and what an item adds to the sum of its call. */
uint64_t leaf(uint64_t seed, unsigned variant);
uint64_t contribution(uint64_t sum, size_t i);

/* An affine map, for a fold in which the order matters; and how many are in it. */
struct fold {
    uint64_t scale, offset, items;
};

extern const struct fold fold_identity;
void fold_add(struct fold *left, const struct fold *right);
struct fold fold_of(uint64_t sum, size_t i);
uint64_t fold_sum(const struct fold *fold);

/* The whole nest, one after the other. */
struct result oracle(uint64_t seed, unsigned depth);

#endif
