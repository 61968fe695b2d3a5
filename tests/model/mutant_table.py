"""The mutants of filch's memory orders, for mutants.py.

Each weakens one order by a step, or takes a fence or a second look away, and must make its test
fail with the words. orders: labels, by spaces; "" for what is no order. test: a file of tests/model without .c, and after @ the slots of the ring.
mirrors: where the test has a copy of code that cannot be compiled alone, the place in the
library that the mutant stands for; its text must be there, too.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    orders: tuple
    name: str
    file: str
    text: str
    replacement: str
    test: str
    words: str = ""
    case: str = ""  # only the cases with this in their names
    mirrors: tuple = ()
    why: str = ""  # a survivor's


def mutant(orders, name, file, text, replacement, test, words="", **more):
    return Mutant(tuple(orders.split()), name, file, text, replacement, test, words, **more)


JOIN = "include/filch/join.h"
JOIN_SLOW = "lib/join.c"
DEQUE = "lib/deque.h"
PARK = "lib/park.c"
SERVING = "lib/serving.h"
IDLE = "lib/idle.c"
WAIT = "lib/wait.c"
WORKER = "lib/worker.c"
JOB = "lib/job.h"
INJECT = "lib/inject.c"
CHANNEL = "bench/channel.c"
BITS = "lib/bits.h"
SPLIT = "lib/split.c"
REDUCE = "lib/reduce.c"
SCOPE = "lib/scope.c"
PROCESS = "lib/process.c"
PRICES = "lib/prices.c"
GATE_TEST = "tests/model/gate.c"
PARK_TEST = "tests/model/park.c"
INJECT_TEST = "tests/model/inject.c"

RETRACT = "FILCH_STORE_RELEASE(&w->tail, place);"
IDLE_FENCE = "    fl_fence_seq_cst();\n    raise_all_gates(pool);\n    /* ORDER(gate-dekker)"

MUTANTS = [
    # --- the private end of the deque
    mutant("pop-dekker", "no light fence in reclaim", JOIN,
           "FILCH_FENCE_LIGHT();\n    return place >=", "return place >=", "deque_force@2",
           "run twice"),
    mutant("pop-dekker", "no heavy fence in force", DEQUE,
           "fl_fence_heavy();", "", "deque_force@2", "run twice"),
    mutant("pop-dekker", "publishing T without reading tail again", DEQUE,
           "tail_after = fl_load_acquire(&deque->hot.tail);", "tail_after = tail;",
           "deque_force@2", "run twice"),
    mutant("deque-retract", "relaxed store of tail in reclaim", JOIN,
           RETRACT, "FILCH_STORE_RELAXED(&w->tail, place);", "deque_force@2", "payload"),
    mutant("deque-retract", "relaxed second load of tail in force", DEQUE,
           "tail_after = fl_load_acquire(&deque->hot.tail);",
           "tail_after = fl_load_relaxed(&deque->hot.tail);", "deque_force@2", "payload"),
    mutant("deque-private", "relaxed store of tail in fork", JOIN,
           "FILCH_STORE_RELEASE(&w->tail, index + 1);",
           "FILCH_STORE_RELAXED(&w->tail, index + 1);", "deque_force@2", "payload"),
    mutant("deque-retract", "relaxed store of tail in the slow reclaim", JOIN_SLOW,
           "fl_store_release(&w->tail, index);", "fl_store_relaxed(&w->tail, index);",
           "reclaim@4", "payload"),
    mutant("pop-dekker", "no light fence in the slow reclaim", JOIN_SLOW,
           "        fl_fence_light();\n", "", "reclaim@4", "run twice"),
    mutant("deque-lock", "relaxed swap of the lock", DEQUE,
           "fl_swap_acquire(&deque->lock, 1u)", "fl_swap_relaxed(&deque->lock, 1u)",
           "deque_force@2", "run twice"),
    mutant("deque-lock", "relaxed store of the lock", DEQUE,
           "fl_store_release(&deque->lock, 0u)", "fl_store_relaxed(&deque->lock, 0u)",
           "deque_force@2", "run twice"),
    # --- the public end
    mutant("deque-public", "relaxed store of bottom in publish", DEQUE,
           "fl_store_release(&deque->bottom, tail);", "fl_store_relaxed(&deque->bottom, tail);",
           "deque_steal@2", "payload"),
    mutant("deque-public", "relaxed store of bottom in the slow pop", DEQUE,
           "fl_store_release(&deque->bottom, index);",
           "fl_store_relaxed(&deque->bottom, index);", "deque_steal@4", "payload"),
    mutant("deque-public", "relaxed store of bottom in force", DEQUE,
           "fl_store_release(&deque->bottom, published);",
           "fl_store_relaxed(&deque->bottom, published);", "deque_force@2", "payload"),
    mutant("deque-public", "relaxed load of bottom in steal", DEQUE,
           "bottom = fl_load_acquire(&deque->bottom);",
           "bottom = fl_load_relaxed(&deque->bottom);", "deque_steal@2", "payload"),
    mutant("deque-take", "no fence in the slow pop", DEQUE,
           "    fl_fence_seq_cst();\n    top = fl_load_relaxed(&deque->top);",
           "    top = fl_load_relaxed(&deque->top);", "deque_steal@4", "run twice"),
    mutant("deque-take", "no fence in steal", DEQUE,
           "    fl_fence_seq_cst();\n    /* ORDER(deque-public): pairs with the release stores",
           "    /* ORDER(deque-public): pairs with the release stores", "deque_steal@4",
           "run twice"),
    mutant("deque-top", "the owner takes the last job with a store", DEQUE,
           "fl_cas_seq_cst(&deque->top, &top, index + 1)",
           "(fl_store_release(&deque->top, index + 1), true)", "deque_steal@2", "run twice"),
    mutant("deque-top", "a thief takes a job with a store", DEQUE,
           "if (!fl_cas_seq_cst(&deque->top, &top, top + 1))\n        return FL_STEAL_LOST;",
           "fl_store_release(&deque->top, top + 1);", "deque_steal@2", "run twice"),
    mutant("deque-room", "compare-and-swap of top in steal without release", DEQUE,
           "fl_cas_seq_cst(&deque->top, &top, top + 1)",
           "fl_cas_acquire(&deque->top, &top, top + 1)", "deque_steal@2", "filled again"),
    mutant("deque-room", "relaxed load of top before a slot is filled", DEQUE,
           "fl_load_acquire(&deque->top) < FILCH_RING_SLOTS",
           "fl_load_relaxed(&deque->top) < FILCH_RING_SLOTS", "deque_steal@2", "filled again"),
    # --- the gate
    mutant("gate-raise", "relaxed raise", DEQUE,
           "fl_swap_release(&deque->hot.gate, FILCH_GATE_RAISED) !=",
           "fl_swap_relaxed(&deque->hot.gate, FILCH_GATE_RAISED) !=", "gate@4", "wiped out"),
    mutant("gate-raise", "relaxed lowering", DEQUE,
           "fl_swap_acquire(&deque->hot.gate, gate);",
           "fl_swap_relaxed(&deque->hot.gate, gate);", "gate@4", "wiped out"),
    mutant("gate-dekker", "no light fence in fork", JOIN,
           "FILCH_FENCE_LIGHT();\n    return index;", "return index;", "gate@4",
           "lost wake-up"),
    mutant("gate-dekker", "no heavy fence before the last look", GATE_TEST,
           "    fence_against_owner();\n    is_idle", "    is_idle", "gate@4", "lost wake-up",
           mirrors=(("lib/idle.c", "    fence_against_owners(pool);\n    if (is_any_work"),)),
    # --- going to sleep
    mutant("sleep-dekker", "no fence after joining the sleepers", PARK_TEST,
           "    fl_fence_seq_cst();\n    if (is_any_work()) {", "    if (is_any_work()) {",
           "park", "lost wake-up", mirrors=(("lib/idle.c", IDLE_FENCE),)),
    mutant("sleep-dekker", "no fence after publishing", PARK_TEST,
           "    fl_fence_seq_cst();\n    fl_lot_wake_one(&lot);\n}\n\nstatic void publish_twice",
           "    fl_lot_wake_one(&lot);\n}\n\nstatic void publish_twice",
           "park", "lost wake-up",
           mirrors=(("lib/worker.c", "    fl_fence_seq_cst();\n    if (must_stay_up("),)),
    mutant("sleep-dekker", "no fence after a search", PARK_TEST,
           "    fl_fence_seq_cst();\n    if (is_any_work())\n        fl_lot_wake_one",
           "    if (is_any_work())\n        fl_lot_wake_one", "park", "lost wake-up",
           mirrors=(("lib/idle.c", "    fl_fence_seq_cst();\n    /* An owner whose gate"),)),
    # --- permits and the lot
    mutant("permit", "notify without release", PARK,
           "fl_swap_acq_rel(&parker->state, FL_PARKER_NOTIFIED)",
           "fl_swap_acquire(&parker->state, FL_PARKER_NOTIFIED)", "park", "payload"),
    mutant("permit", "relaxed swap after sleeping", PARK,
           "fl_swap_acquire(&parker->state, FL_PARKER_EMPTY);",
           "fl_swap_relaxed(&parker->state, FL_PARKER_EMPTY);", "park", "payload"),
    mutant("permit", "going to sleep with a store", PARK,
           "if (fl_swap_acq_rel(&parker->state, FL_PARKER_ASLEEP) != FL_PARKER_NOTIFIED) {",
           "if (fl_load_relaxed(&parker->state) != FL_PARKER_NOTIFIED) {\n"
           "        fl_store_release(&parker->state, FL_PARKER_ASLEEP);", "park", "lost wake-up"),
    mutant("permit", "a wait that believes the futex", PARK,
           "while (fl_load_relaxed(&parker->state) == FL_PARKER_ASLEEP &&",
           "if (fl_load_relaxed(&parker->state) == FL_PARKER_ASLEEP &&", "park", "payload"),
    mutant("lot-lock", "relaxed swap of the lock", PARK,
           "fl_swap_acquire(&lot->lock, 1u)", "fl_swap_relaxed(&lot->lock, 1u)",
           "park", "data race"),
    mutant("lot-lock", "relaxed store of the lock", PARK,
           "fl_store_release(&lot->lock, 0u)", "fl_store_relaxed(&lot->lock, 0u)",
           "park", "data race"),
    # --- latches
    mutant("join-done", "relaxed look", JOB,
           "fl_load_acquire(&job->state) == 0", "fl_load_relaxed(&job->state) == 0",
           "latch", "payload"),
    mutant("join-done", "finishing without release", JOB,
           "fl_swap_acq_rel(&job->state, (uintptr_t)0)",
           "fl_swap_acquire(&job->state, (uintptr_t)0)", "latch", "payload"),
    mutant("join-done", "finishing without acquire", JOB,
           "fl_swap_acq_rel(&job->state, (uintptr_t)0)",
           "fl_swap_release(&job->state, (uintptr_t)0)", "latch", "set up"),
    mutant("join-done", "finishing, then looking for the waiter", JOB,
           "uintptr_t state = fl_swap_acq_rel(&job->state, (uintptr_t)0);",
           "uintptr_t state;\n    fl_store_release(&job->state, (uintptr_t)0);\n"
           "    state = fl_load_relaxed(&job->state);", "latch", "a frame that is gone"),
    mutant("join-done", "looking for the waiter, then finishing", JOB,
           "uintptr_t state = fl_swap_acq_rel(&job->state, (uintptr_t)0);",
           "uintptr_t state = fl_load_acquire(&job->state);\n"
           "    fl_store_release(&job->state, (uintptr_t)0);", "latch", "lost wake-up"),
    mutant("", "finishing, then a look at the job for the waiter", JOB,
           "    return state & 1 ? (struct fl_parker *)(state & ~(uintptr_t)1) : NULL;\n}\n\n"
           "/* --- the counting",
           "    state |= fl_load_relaxed(&job->state);\n"
           "    return state & 1 ? (struct fl_parker *)(state & ~(uintptr_t)1) : NULL;\n}\n\n"
           "/* --- the counting", "latch", "may be in use", case="frame ends"),
    mutant("", "counting down, then a look at what is left", JOB,
           "    return fl_sub_acq_rel(&latch->remaining, amount) - amount;",
           "    fl_sub_acq_rel(&latch->remaining, amount);\n"
           "    return fl_load_relaxed(&latch->remaining);", "latch", "may be in use",
           case="frame ends"),
    mutant("join-taken", "beginning without release", JOB,
           "fl_swap_acq_rel(&job->state, (uintptr_t)thief)",
           "fl_swap_acquire(&job->state, (uintptr_t)thief)", "latch", "data race on serves"),
    mutant("join-taken", "registering without acquire", JOB,
           "fl_cas_acq_rel(&job->state, &expected,",
           "fl_cas_release(&job->state, &expected,", "latch", "data race on serves"),
    mutant("join-taken", "registering without release", JOB,
           "fl_cas_acq_rel(&job->state, &expected,",
           "fl_cas_acquire(&job->state, &expected,", "latch", "data race on set up"),
    mutant("latch-done", "counting without release", JOB,
           "fl_sub_acq_rel(&latch->remaining", "fl_sub_acquire(&latch->remaining",
           "latch", "payload"),
    mutant("latch-done", "relaxed look", JOB,
           "fl_load_acquire(&latch->remaining)", "fl_load_relaxed(&latch->remaining)",
           "latch", "payload"),
    # --- waiting in isolation
    mutant("serving", "no second look at whom the victim serves", WAIT,
           "if (fl_load_relaxed(&from->serving) == serving)", "if (true)",
           "serving@2", "a stranger was run", case="one look"),
    mutant("serve-dekker", "no light fence before looking for the waiter", SERVING,
           "    fl_fence_light();\n    if (hungry_waiter(served))",
           "    if (hungry_waiter(served))", "serving@2", "lost wake-up"),
    mutant("serve-dekker", "no fence between registering and the serving words", WAIT,
           "    fence_against_owners(worker->pool);\n    raise_gates_for",
           "    raise_gates_for", "serving@2", "lost wake-up"),
    mutant("gate-dekker sleep-dekker", "no fence before a waiter's last look", WAIT,
           "    fence_against_owners(worker->pool);\n    if (!is_done",
           "    if (!is_done", "serving@2", "lost wake-up"),
    mutant("sleep-dekker", "no fence between publishing and looking for the waiter", WORKER,
           "    fl_fence_seq_cst();\n    if (must_stay_up", "    if (must_stay_up",
           "serving@2", "lost wake-up"),
    mutant("sleep-dekker", "no fence between handing over and looking for sleepers", WORKER,
           "    fl_fence_seq_cst();\n    if (waiter && fl_parker_notify",
           "    if (waiter && fl_parker_notify", "serving@2", "lost wake-up"),
    mutant("join-taken", "beginning without release, and the waiter does not look", JOB,
           "fl_swap_acq_rel(&job->state, (uintptr_t)thief)",
           "fl_swap_relaxed(&job->state, (uintptr_t)thief)", "serving@2", "lost wake-up"),
    mutant("gate-dekker serve-dekker", "no heavy fence against owners", SERVING,
           "    if (pool->is_asymmetric)\n        fl_fence_heavy();\n    else\n"
           "        fl_fence_seq_cst();",
           "    if (!pool->is_asymmetric)\n        fl_fence_seq_cst();", "serving@2",
           "lost wake-up", case="asymmetric"),
    mutant("gate-dekker serve-dekker", "no fence against owners without membarrier", SERVING,
           "    else\n        fl_fence_seq_cst();\n}", "}", "serving@2", "lost wake-up",
           case="classic"),
    mutant("sleep-dekker", "no fence between letting in and looking for sleepers", WORKER,
           "    fl_fence_seq_cst();\n    fl_worker_wake_one(worker);",
           "    fl_worker_wake_one(worker);", "idlers@4", "lost wake-up"),
    mutant("sleep-dekker", "no fence between joining the sleepers and the gates", IDLE, IDLE_FENCE,
           IDLE_FENCE.replace("    fl_fence_seq_cst();\n", ""), "idlers@4", "lost wake-up"),
    mutant("gate-dekker", "no fence before an idle worker's last look", IDLE,
           "    fence_against_owners(pool);\n    if (is_any_work", "    if (is_any_work",
           "idlers@4", "lost wake-up"),
    mutant("", "the end of the last search raises no gate", IDLE,
           "    if (raise_all_gates(worker->pool))\n        fence_against_owners(worker->pool);\n",
           "", "idlers@4", "lost wake-up", case="last search"),
    mutant("gate-dekker", "no fence after the gates at the end of a search", IDLE,
           "    if (raise_all_gates(worker->pool))\n        fence_against_owners(worker->pool);\n",
           "    raise_all_gates(worker->pool);\n", "idlers@4", "lost wake-up", case="last search"),
    # --- the queue for jobs that change hands
    mutant("sleep-dekker", "no fence between going to sleep and looking at the count",
           INJECT_TEST, "        fl_fence_seq_cst();\n        if (!fl_inject_has_for",
           "        if (!fl_inject_has_for", "inject", "lost wake-up",
           mirrors=(("lib/wait.c", "    fence_against_owners(worker->pool);\n    if (!is_done"),)),
    mutant("sleep-dekker", "no fence between putting and looking for the sleeper", INJECT_TEST,
           "    fl_fence_seq_cst();\n    if (fl_load_relaxed(&is_hungry))",
           "    if (fl_load_relaxed(&is_hungry))", "inject", "lost wake-up",
           mirrors=(("lib/worker.c",
                     "    fl_fence_seq_cst();\n    if (waiter && fl_parker_notify"),)),
    mutant("", "an entry is linked after the mutex", INJECT,
           "    *queue->last = entry;\n",
           "    pthread_mutex_unlock(&queue->mutex);\n    *queue->last = entry;\n"
           "    pthread_mutex_lock(&queue->mutex);\n", "inject", "data race on"),
    mutant("", "the last entry leaves the queue's end where it was", INJECT,
           "        if (!*link)\n            queue->last = link;\n", "", "inject", "lost"),
    mutant("", "an entry that is taken stays", INJECT,
           "        *link = entry_job(entry)->next;\n", "", "inject", "lost"),
    mutant("", "a bound entry counts as anyone's", INJECT,
           "return !entry_is_task(entry) || !entry_task(entry)->is_bound;", "return true;",
           "inject", "not for this one"),
    mutant("", "a waiter looks at the count of the others", INJECT,
           "    if (fl_load_relaxed(&queue->count) == 0) /* ordered",
           "    if (fl_load_relaxed(&queue->open_count) == 0) /* ordered", "inject",
           "lost wake-up"),
    # --- numbers that are handed out, and pieces of a loop
    mutant("bit", "a number is taken without acquire", BITS,
           "fl_or_acq_rel(&taken[word], bit)", "fl_or_release(&taken[word], bit)",
           "numbers", "data race on left"),
    mutant("bit", "a number is given back without release", BITS,
           "fl_and_acq_rel(&taken[number / 64]", "fl_and_acquire(&taken[number / 64]",
           "numbers", "data race on left"),
    mutant("bit", "a number is taken by a load and a store", BITS,
           "!(fl_or_acq_rel(&taken[word], bit) & bit)",
           "(fl_store_release(&taken[word], fl_load_acquire(&taken[word]) | bit), true)",
           "numbers", "data race on left"),
    mutant("bit", "the end of the process does not see the last guest's", PROCESS,
           "fl_cas_acq_rel(&pool->guests_in", "fl_cas_release(&pool->guests_in", "callers@4",
           "data race on slots"),
    mutant("bit", "the end of the process is no compare-and-swap", PROCESS,
           "!fl_cas_acq_rel(&pool->guests_in, &nobody, UINT64_MAX)",
           "fl_load_acquire(&pool->guests_in) != nobody ||\n"
           "        (fl_store_release(&pool->guests_in, UINT64_MAX), false)", "callers@4",
           "slots"),
    mutant("piece", "a slot is used again without acquire", SPLIT,
           "fl_load_acquire(&piece->is_busy)", "fl_load_relaxed(&piece->is_busy)",
           "pieces@4", "data race on piece's begin"),
    mutant("piece", "a slot is freed without release", SPLIT,
           "fl_store_release(&piece->is_busy, 0u);", "fl_store_relaxed(&piece->is_busy, 0u);",
           "pieces@4", "data race on piece's begin"),
    mutant("", "a slot is freed before it is copied", SPLIT,
           "    struct span span = {piece->begin, piece->end, piece->is_rights};\n\n"
           "    /* ORDER(piece): pairs with the acquire in piece_take. */\n"
           "    fl_store_release(&piece->is_busy, 0u);\n    return span;",
           "    fl_store_release(&piece->is_busy, 0u);\n"
           "    return (struct span){piece->begin, piece->end, piece->is_rights};",
           "pieces@4", "data race on piece's begin"),
    mutant("failure-lock", "relaxed swap of the lock", WORKER,
           "fl_swap_acquire(&failure->lock, 1u)", "fl_swap_relaxed(&failure->lock, 1u)",
           "pieces@4", "data race on failure's value"),
    mutant("failure-lock", "relaxed store of the lock", WORKER,
           "fl_store_release(&failure->lock, 0u)", "fl_store_relaxed(&failure->lock, 0u)",
           "pieces@4", "data race on failure's value"),
    mutant("reduce-node", "arriving without release", REDUCE,
           "fl_add_acq_rel(&reduction->arrivals[middle], 1u)",
           "fl_add_acquire(&reduction->arrivals[middle], 1u)", "climb", "data race on folded"),
    mutant("reduce-node", "arriving without acquire", REDUCE,
           "fl_add_acq_rel(&reduction->arrivals[middle], 1u)",
           "fl_add_release(&reduction->arrivals[middle], 1u)", "climb", "data race on folded"),
    mutant("reduce-node", "the first to arrive goes on", REDUCE,
           "fl_add_acq_rel(&reduction->arrivals[middle], 1u) == 0",
           "fl_add_acq_rel(&reduction->arrivals[middle], 1u) == 1", "climb", "data race on folded"),
    # --- tasks' memory
    mutant("spare-task", "returned tasks are taken without acquire", SCOPE,
           "fl_swap_acquire(&worker->returned_tasks", "fl_swap_relaxed(&worker->returned_tasks",
           "spares@4", "data race on"),
    mutant("spare-task", "a task is returned without release", SCOPE,
           "fl_cas_acq_rel(&home->returned_tasks", "fl_cas_acquire(&home->returned_tasks",
           "spares@4", "data race on"),
    mutant("", "one returned task is taken, not all", SCOPE,
           "fl_swap_acquire(&worker->returned_tasks, (struct fl_spawned *)NULL)",
           "fl_load_acquire(&worker->returned_tasks);\n"
           "    if (spares)\n        fl_store_release(&worker->returned_tasks, spares->next_spare)",
           "spares@4", "leaked"),
    # --- the default pool, and prices
    mutant("default-pool", "a look without acquire", PROCESS,
           "fl_load_acquire(&default_pool)", "fl_load_relaxed(&default_pool)", "callers@4",
           "data race on made"),
    mutant("default-pool", "shown without release", PROCESS,
           "fl_store_release(&default_pool, pool)", "fl_store_relaxed(&default_pool, pool)",
           "callers@4", "data race on made"),
    mutant("generation", "a look without acquire", PROCESS,
           "fl_load_acquire(&pool->generation)", "fl_load_relaxed(&pool->generation)",
           "callers@4", "data race on started"),
    mutant("generation", "shown without release", PROCESS,
           "fl_store_release(&pool->generation, generation)",
           "fl_store_relaxed(&pool->generation, generation)", "callers@4",
           "data race on started"),
    mutant("", "no second look at the generation", PROCESS,
           "fl_load_relaxed(&pool->generation) != generation &&", "true &&", "callers@4",
           "data race on started"),
    mutant("prices", "the answer is read without acquire", PRICES,
           "fl_load_acquire(word) != value", "fl_load_relaxed(word) != value", "asking@4",
           "data race on woken"),
    mutant("prices", "the answer is given without release", PRICES,
           "fl_store_release(&launch->answer, (uint32_t)SLEEP);",
           "fl_store_relaxed(&launch->answer, (uint32_t)SLEEP);", "asking@4",
           "data race on woken"),
    mutant("", "a starter without patience wakes nobody", PRICES,
           "    if (!slept)\n        fl_parker_notify(parker);", "", "asking@4", "lost wake-up"),
    # --- the channel of the benchmarks
    mutant("", "a receiver that believes its wake-up", CHANNEL,
           "    while (channel->items == 0 && !channel->is_closed) {",
           "    if (channel->items == 0 && !channel->is_closed) {", "channel", "not the oldest"),
    mutant("", "a closed channel gives nothing more", CHANNEL,
           "    if (channel->items == 0) {\n        pthread_mutex_unlock",
           "    if (channel->is_closed) {\n        pthread_mutex_unlock", "channel",
           "count is wrong"),
    mutant("", "only the first item wakes a receiver", CHANNEL,
           "    is_awaited = channel->receivers_waiting > 0;",
           "    is_awaited = channel->receivers_waiting > 0 && channel->items == 1;",
           "channel", "lost wake-up"),
    mutant("", "waiting receivers are counted after the mutex", CHANNEL,
           "    is_awaited = channel->receivers_waiting > 0;\n"
           "    pthread_mutex_unlock(&channel->lock);",
           "    pthread_mutex_unlock(&channel->lock);\n"
           "    is_awaited = channel->receivers_waiting > 0;", "channel", "data race on"),
    mutant("", "a receiver wakes no sender", CHANNEL,
           "    if (is_awaited)\n        pthread_cond_signal(&channel->has_room);\n", "",
           "channel", "lost wake-up"),
    mutant("", "closing wakes one receiver", CHANNEL,
           "pthread_cond_broadcast(&channel->has_item);",
           "pthread_cond_signal(&channel->has_item);", "channel", "lost wake-up"),
    mutant("", "closing wakes no sender", CHANNEL,
           "    pthread_cond_broadcast(&channel->has_room);\n", "", "channel", "lost wake-up"),
    mutant("", "a ring is freed, then copied", CHANNEL,
           "    for (size_t i = 0; i < channel->items; i++)\n"
           "        ring[i] = channel->ring[(channel->head + i) % slots];\n"
           "    free(channel->ring);",
           "    free(channel->ring);\n    for (size_t i = 0; i < channel->items; i++)\n"
           "        ring[i] = channel->ring[(channel->head + i) % slots];",
           "channel", "used after its end"),
    mutant("", "a ring that is grown out of is kept", CHANNEL,
           "    free(channel->ring);\n    channel->ring = ring;", "    channel->ring = ring;",
           "channel", "leaked"),
    mutant("", "a one-shot's receiver is woken after the mutex", CHANNEL,
           "        pthread_cond_signal(&oneshot->is_there);\n"
           "    pthread_mutex_unlock(&oneshot->lock);",
           "        (void)0;\n    pthread_mutex_unlock(&oneshot->lock);\n"
           "    pthread_cond_signal(&oneshot->is_there);", "channel", "one-shot's condition"),
]

SURVIVORS = [
    mutant("", "an owner leaves those who sleep without a gate", WORKER,
           "lot_searching(hungry) > 0 ? was_stolen_from : lot_sleeping(hungry) > 0",
           "was_stolen_from", "idlers@4",
           why="one of them is woken, and raises it; this test has no waiter, who may be "
               "woken instead"),
    mutant("bit", "a number is taken without release", BITS,
           "fl_or_acq_rel(&taken[word], bit)", "fl_or_acquire(&taken[word], bit)", "numbers",
           why="who takes a number has left nothing yet; it is part of the last giver's "
               "release sequence all the same"),
    mutant("bit", "a number is given back without acquire", BITS,
           "fl_and_acq_rel(&taken[number / 64]", "fl_and_release(&taken[number / 64]",
           "numbers", why="who gives back a number uses nothing of the others'"),
    mutant("bit", "the end of the process without release", PROCESS,
           "fl_cas_acq_rel(&pool->guests_in", "fl_cas_acquire(&pool->guests_in", "callers@4",
           why="nobody takes a slot after it"),
    mutant("spare-task", "a task is returned without acquire", SCOPE,
           "fl_cas_acq_rel(&home->returned_tasks", "fl_cas_release(&home->returned_tasks",
           "spares@4", why="who returns a task looks into none that lie there already"),
    mutant("sleep-dekker", "no fence between searching and looking at the gate", GATE_TEST,
           "    fl_lot_search_begin(&lot);\n    fl_fence_seq_cst();\n", "    fl_lot_search_begin(&lot);\n",
           "gate@4",
           mirrors=(("lib/idle.c", "    fl_fence_seq_cst();\n    if (FILCH_UNLIKELY(from_ns"),),
           why="a searcher that is missed raises the gates again before it sleeps, and takes "
               "by force what it starves for: the fence only shortens its wait"),
    mutant("serving", "relaxed store of whom the worker serves", SERVING,
           "fl_store_release(&worker->serving,", "fl_store_relaxed(&worker->serving,",
           "serving@2",
           why="the steal acquires, with bottom, what the victim stored before the push"),
    mutant("serving", "relaxed load of whom the victim serves", WAIT,
           "fl_load_acquire(&from->serving)", "fl_load_relaxed(&from->serving)",
           "serving@2",
           why="as above; and the fences of deque-take keep out of reach what the victim "
               "pushed for an earlier master"),
    mutant("join-taken", "beginning without acquire", JOB,
           "fl_swap_acq_rel(&job->state, (uintptr_t)thief)",
           "fl_swap_release(&job->state, (uintptr_t)thief)", "latch",
           why="the deque or the queue that the job came from has acquired it"),
    mutant("latch-done", "counting without acquire", JOB,
           "fl_sub_acq_rel(&latch->remaining", "fl_sub_release(&latch->remaining", "latch",
           why="the others' release sequences go on through the last one's subtraction"),
    mutant("permit", "going to sleep without acquire", PARK,
           "fl_swap_acq_rel(&parker->state, FL_PARKER_ASLEEP)",
           "fl_swap_release(&parker->state, FL_PARKER_ASLEEP)", "park",
           why="the second swap acquires what the first one found, as a part of its "
               "release sequence"),
    mutant("permit", "going to sleep without release", PARK,
           "fl_swap_acq_rel(&parker->state, FL_PARKER_ASLEEP)",
           "fl_swap_acquire(&parker->state, FL_PARKER_ASLEEP)", "park",
           why="a notifier uses nothing of the sleeper's"),
    mutant("permit", "notify without acquire", PARK,
           "fl_swap_acq_rel(&parker->state, FL_PARKER_NOTIFIED)",
           "fl_swap_release(&parker->state, FL_PARKER_NOTIFIED)", "park",
           why="a notifier uses nothing of the sleeper's"),
    mutant("deque-retract", "relaxed store of tail in the slow pop", DEQUE,
           "fl_store_release(&deque->hot.tail, bottom);",
           "fl_store_relaxed(&deque->hot.tail, bottom);", "deque_force@2",
           why="a forcer that reads it finds no private job: tail is bottom"),
    mutant("deque-private", "relaxed first load of tail in force", DEQUE,
           "    tail = fl_load_acquire(&deque->hot.tail);",
           "    tail = fl_load_relaxed(&deque->hot.tail);", "deque_force@2",
           why="the heavy fence that follows acquires what a relaxed load read"),
    mutant("deque-public", "relaxed store of bottom after the last job", DEQUE,
           "fl_store_release(&deque->bottom, bottom);",
           "fl_store_relaxed(&deque->bottom, bottom);", "deque_steal@4",
           why="a thief that reads it finds no job: bottom is what top has reached"),
    mutant("deque-top", "relaxed load of top in steal", DEQUE,
           "top = fl_load_acquire(&deque->top);", "top = fl_load_relaxed(&deque->top);",
           "deque_steal@4",
           why="the fence that follows acquires what a relaxed load read"),
    mutant("deque-top", "acq_rel compare-and-swap of top in the slow pop", DEQUE,
           "fl_cas_seq_cst(&deque->top, &top, index + 1)",
           "fl_cas_acq_rel(&deque->top, &top, index + 1)", "deque_steal@4",
           why="the fences decide; of the compare-and-swap only its being atomic counts"),
    mutant("deque-top", "relaxed compare-and-swap of top in the slow pop", DEQUE,
           "fl_cas_seq_cst(&deque->top, &top, index + 1)",
           "fl_cas_relaxed(&deque->top, &top, index + 1)", "deque_steal@4",
           why="the same"),
    mutant("deque-top", "acq_rel compare-and-swap of top in steal", DEQUE,
           "fl_cas_seq_cst(&deque->top, &top, top + 1)",
           "fl_cas_acq_rel(&deque->top, &top, top + 1)", "deque_steal@4",
           why="the same, and the release for deque-room"),
]
