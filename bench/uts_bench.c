/* uts_bench.c - is a search balanced whose tree nobody can know before?
 *
 * The unbalanced tree search, binomial: the root has ROOT_CHILDREN children, every other
 * node CHILDREN with a chance of just below 1 / CHILDREN, else none. A node is a SHA-1
 * state, a child that of its parent's state and its own number. Nearly all of the tree is
 * below a few children of the root, and a node takes less than a microsecond. The full
 * tree is the one published as T3: 4112897 nodes, 3599034 leaves, depth 1572. Serial
 * must find what is known of each tree, and the others what serial finds.
 *
 * Nothing is cut off: no size of a subtree is known. OpenMP makes a task of each child,
 * filch a job of the other children, and the peers join halves of the children. The
 * channel pool gets a job for each child of the root, as a job must not wait for others.
 *
 * Source: Olivier and others, UTS: An Unbalanced Tree Search Benchmark, LCPC 2006.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sha1.h"
#include "team.h"

#define SEED          42
#define CHILDREN      8
#define MOST_CHILDREN 2000 /* of the root */

struct tally {
    uint64_t nodes;
    uint64_t leaves;
    uint64_t depth; /* of the root: 0 */
};

struct node {
    uint8_t state[SHA1_BYTES];
};

struct tree {
    unsigned root_children;
    double chance; /* that another node has children */
    struct tally known;
};

static const struct tree trees[] = {
    [BENCH_TINY] = {20, 0.12, {453, 398, 15}},
    [BENCH_QUICK] = {2000, 0.123, {247729, 217012, 261}},
    [BENCH_FULL] = {MOST_CHILDREN, 0.124875, {4112897, 3599034, 1572}},
};

static const struct tree *tree;
static struct tally result;
static bool has_result;

static void store_big(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static struct node make_root(void)
{
    uint8_t message[SHA1_BYTES] = {0};
    struct node root;

    store_big(message + 16, SEED);
    sha1_short(root.state, message, sizeof message);
    return root;
}

static struct node make_child(const struct node *parent, unsigned number)
{
    uint8_t message[SHA1_BYTES + 4];
    struct node child;

    memcpy(message, parent->state, SHA1_BYTES);
    store_big(message + SHA1_BYTES, number);
    sha1_short(child.state, message, sizeof message);
    return child;
}

static unsigned count_children(const struct node *node, unsigned depth)
{
    const uint8_t *last = node->state + 16;
    uint32_t number = (uint32_t)(last[0] & 0x7f) << 24 | (uint32_t)last[1] << 16 |
                      (uint32_t)last[2] << 8 | last[3];

    if (depth == 0)
        return tree->root_children;
    return number / 2147483648.0 < tree->chance ? CHILDREN : 0;
}

static void add(struct tally *sum, const struct tally *tally)
{
    sum->nodes += tally->nodes;
    sum->leaves += tally->leaves;
    if (sum->depth < tally->depth)
        sum->depth = tally->depth;
}

static struct tally search(const struct node *node, unsigned depth)
{
    unsigned children = count_children(node, depth);
    struct tally sum = {1, children == 0, depth};

    for (unsigned i = 0; i < children; i++) {
        struct node child = make_child(node, i);
        struct tally below = search(&child, depth + 1);

        add(&sum, &below);
    }
    return sum;
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    tree = &trees[request->scale];
    snprintf(input->title, sizeof input->title, "unbalanced tree search");
    snprintf(input->size, sizeof input->size, "%.3g nodes", (double)tree->known.nodes);
    if (request->candidate == BENCH_CHANNEL)
        input->note = "no task at every node: a job for each child of the root";
    input->item = "node";
    input->items = (double)tree->known.nodes;
    return 0;
}

static double take_result(void)
{
    double sum;

    if (!has_result)
        return NAN;
    has_result = false;
    sum = bench_checksum(&result, sizeof result);
    result = (struct tally){0};
    return sum;
}

static int run_serial(const struct bench_team *team)
{
    struct node root = make_root();

    (void)team;
    result = search(&root, 0);
    has_result = true;
    return memcmp(&result, &tree->known, sizeof result) ? -EILSEQ : 0;
}

/* ---- channel pool ---------------------------------------------------------------- */

struct subtree {
    struct channel_job job;
    const struct node *root;
    unsigned number;
    struct tally tally;
    atomic_uint *left;
    struct oneshot *done;
};

static void subtree_run(struct channel_job *job)
{
    struct subtree *subtree = (struct subtree *)job;
    struct node child = make_child(subtree->root, subtree->number);

    subtree->tally = search(&child, 1);
    if (atomic_fetch_sub(subtree->left, 1) == 1)
        oneshot_send(subtree->done, NULL);
}

static int run_channel(const struct bench_team *team)
{
    static struct subtree subtrees[MOST_CHILDREN];
    struct node root = make_root();
    struct oneshot done;
    atomic_uint left;

    result = (struct tally){.nodes = 1};
    atomic_init(&left, tree->root_children);
    oneshot_init(&done);
    for (unsigned i = 0; i < tree->root_children; i++) {
        subtrees[i] = (struct subtree){.job.run = subtree_run,
                                       .root = &root,
                                       .number = i,
                                       .left = &left,
                                       .done = &done};
        if (channel_pool_send(team->channel, &subtrees[i].job))
            abort(); /* no memory in the middle of a benchmark */
    }
    oneshot_receive(&done);
    for (unsigned i = 0; i < tree->root_children; i++)
        add(&result, &subtrees[i].tally);
    has_result = true;
    return 0;
}

/* ---- OpenMP ---------------------------------------------------------------------- */

static struct tally search_openmp(const struct node *node, unsigned depth);

static struct tally search_below(const struct node *node, unsigned number, unsigned depth)
{
    struct node child = make_child(node, number);

    return search_openmp(&child, depth);
}

/* A task for each child, but for the last one, which the parent goes on with. */
static struct tally sum_openmp(const struct node *node, unsigned children, unsigned depth,
                               struct tally *below)
{
    struct tally sum = {1, children == 0, depth};

    if (children == 0)
        return sum;
    for (unsigned i = 0; i < children - 1; i++) {
#pragma omp task firstprivate(i)
        below[i] = search_below(node, i, depth + 1);
    }
    below[children - 1] = search_below(node, children - 1, depth + 1);
#pragma omp taskwait
    for (unsigned i = 0; i < children; i++)
        add(&sum, &below[i]);
    return sum;
}

static struct tally search_openmp(const struct node *node, unsigned depth)
{
    struct tally below[CHILDREN];

    return sum_openmp(node, count_children(node, depth), depth, below);
}

static int run_openmp(const struct bench_team *team)
{
    static struct tally below[MOST_CHILDREN];
    struct node root = make_root();

#pragma omp parallel num_threads(team->workers)
#pragma omp single
    result = sum_openmp(&root, tree->root_children, 0, below);
    has_result = true;
    return 0;
}

/* ---- filch ----------------------------------------------------------------------- */

/* The children from one on, which a thief may take while the forker goes down into the
 * one before. The parent stays in its own frame until all are done. */
struct rest {
    filch_job job;
    const struct node *parent;
    unsigned next;
    unsigned children;
    unsigned depth; /* theirs */
    struct tally tally;
};

static void rest_run(filch_worker *w, filch_job *job);

static struct tally search_filch(filch_worker *w, const struct node *node,
                                 unsigned depth);

static struct tally search_from(filch_worker *w, const struct node *parent, unsigned next,
                                unsigned children, unsigned depth)
{
    struct tally sum = {0};

    for (; next < children; next++) {
        struct rest rest;
        struct tally below;
        struct node child;
        int64_t place;

        rest.job.run = rest_run;
        rest.parent = parent;
        rest.next = next + 1;
        rest.children = children;
        rest.depth = depth;
        place = filch_fork(w, &rest.job);
        child = make_child(parent, next);
        below = search_filch(w, &child, depth);
        add(&sum, &below);
        if (!filch_reclaim(w, &rest.job, place)) {
            filch_await(w, &rest.job);
            add(&sum, &rest.tally);
            break;
        }
    }
    return sum;
}

static struct tally search_filch(filch_worker *w, const struct node *node, unsigned depth)
{
    unsigned children = count_children(node, depth);
    struct tally sum = {1, children == 0, depth};

    if (children > 0) {
        struct tally below = search_from(w, node, 0, children, depth + 1);

        add(&sum, &below);
    }
    return sum;
}

static void rest_run(filch_worker *w, filch_job *job)
{
    struct rest *rest = (struct rest *)job;

    rest->tally = search_from(w, rest->parent, rest->next, rest->children, rest->depth);
}

static int enter(filch_worker *w, void *ctx)
{
    struct node root = make_root();

    (void)ctx;
    result = search_filch(w, &root, 0);
    has_result = true;
    return 0;
}

static int run_filch(const struct bench_team *team)
{
    return filch_run(enter, NULL, .pool = team->filch);
}

/* ---- peers ----------------------------------------------------------------------- */

/* Some children of a node. */
struct children {
    const struct node *parent;
    unsigned begin, end;
    unsigned depth; /* theirs */
    struct tally tally;
};

static void search_peer(void *ctx)
{
    struct children *these = ctx;
    struct children low = *these;
    struct children high = *these;

    if (these->end - these->begin > 1) {
        low.end = high.begin = these->begin + (these->end - these->begin) / 2;
        team_peer->join(search_peer, &low, search_peer, &high);
        these->tally = low.tally;
        add(&these->tally, &high.tally);
    } else {
        struct node child = make_child(these->parent, these->begin);
        unsigned children = count_children(&child, these->depth);
        struct children below = {&child, 0, children, these->depth + 1, {0}};

        these->tally = (struct tally){1, children == 0, these->depth};
        if (children > 0)
            search_peer(&below);
        add(&these->tally, &below.tally);
    }
}

static int run_peer(const struct bench_team *team)
{
    struct node root = make_root();
    struct children all = {&root, 0, tree->root_children, 1, {0}};

    team_run(team, search_peer, &all);
    result = (struct tally){.nodes = 1};
    add(&result, &all.tally);
    has_result = true;
    return 0;
}

const struct bench_work bench_uts = {
    .name = "uts",
    .prepare = prepare,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
    .take_result = take_result,
};
