/* litmus.c - the checker against textbook programs whose outcomes are known.
 *
 * Job: each case lists exactly the outcomes that C11 (as RC11 has it) allows: one that is
 * missing means that the checker is blind, one too many that it cries wolf. With
 * --compare the reduced search must agree with plain enumeration. Relies on the usual
 * verdicts: Alglave, Maranget and Tautschnig, Herding cats, TOPLAS 2014; Lahav et al.,
 * PLDI 2017; P1202 for the asymmetric fences. Load buffering, which RC11 forbids and
 * hardware does not, is listed as never seen. Waiting: litmus_waiting.c. Memory that
 * ends: litmus_heap.c.
 */
#include "checker_atomics.h"

static int64_t x, y, z;
static int64_t r[6];
static int plain;

static void setup(void)
{
    int i;

    x = y = z = 0;
    plain = 0;
    for (i = 0; i < 6; i++)
        r[i] = -1;
    model_name(&x, "x");
    model_name(&y, "y");
    model_name(&z, "z");
    model_name(&plain, "plain");
}

static void check_2(void)
{
    model_outcome("%d%d", (int)r[0], (int)r[1]);
}

static void check_4(void)
{
    model_outcome("%d%d%d%d", (int)r[0], (int)r[1], (int)r[2], (int)r[3]);
}

static void check_final_xy(void)
{
    model_outcome("x%d y%d", (int)x, (int)y);
}

#define ACQ MODEL_ACQUIRE
#define REL MODEL_RELEASE
#define RLX MODEL_RELAXED
#define SC  MODEL_SC

/* Thread bodies, one line each. W(word, value, order), R(into, word, order), F(kind). */
#define W(word, value, order)   MODEL_STORE(&(word), (value), (order))
#define R(into, word, order)    (r[into] = MODEL_LOAD(&(word), (order)))
#define ADD(word, value, order) ((void)MODEL_UPDATE(&(word), MODEL_ADD, (value), (order)))
#define F(kind)                 fl_fence_##kind()
#define BODY(name, ...)    \
    static void name(void) \
    {                      \
        __VA_ARGS__;       \
    }

/* Store buffering. */
BODY(sb_a, W(x, 1, RLX); R(0, y, RLX))
BODY(sb_b, W(y, 1, RLX); R(1, x, RLX))
BODY(sb_a_rel_acq, W(x, 1, REL); R(0, y, ACQ))
BODY(sb_b_rel_acq, W(y, 1, REL); R(1, x, ACQ))
BODY(sb_a_fence, W(x, 1, RLX); F(seq_cst); R(0, y, RLX))
BODY(sb_b_fence, W(y, 1, RLX); F(seq_cst); R(1, x, RLX))
BODY(sb_a_light, W(x, 1, RLX); F(light); R(0, y, RLX))
BODY(sb_b_light, W(y, 1, RLX); F(light); R(1, x, RLX))
BODY(sb_b_heavy, W(y, 1, RLX); F(heavy); R(1, x, RLX))
BODY(sb_a_sc, W(x, 1, REL | SC); R(0, y, ACQ | SC))
BODY(sb_b_sc, W(y, 1, REL | SC); R(1, x, ACQ | SC))
BODY(sb_a_add, ADD(x, 1, ACQ | REL | SC); R(0, y, RLX))
BODY(sb_b_add, ADD(y, 1, ACQ | REL | SC); R(1, x, RLX))

/* Message passing: r0 the flag, r1 the message. */
BODY(mp_a, W(x, 1, RLX); W(y, 1, RLX))
BODY(mp_a_rel, W(x, 1, RLX); W(y, 1, REL))
BODY(mp_a_fence, W(x, 1, RLX); F(release); W(y, 1, RLX))
BODY(mp_b, R(0, y, RLX); R(1, x, RLX))
BODY(mp_b_acq, R(0, y, ACQ); R(1, x, RLX))
BODY(mp_b_fence, R(0, y, RLX); F(acquire); R(1, x, RLX))
BODY(mp_a_light, W(x, 1, RLX); F(light); W(y, 1, RLX))
BODY(mp_b_heavy, R(0, y, RLX); F(heavy); R(1, x, RLX))
BODY(mp_a_heavy, W(x, 1, RLX); F(heavy); W(y, 1, RLX))
BODY(mp_b_light, R(0, y, RLX); F(light); R(1, x, RLX))

/* Coherence. */
BODY(co_write_1, W(x, 1, RLX))
BODY(co_write_2, W(x, 2, RLX))
BODY(co_read_a, R(0, x, RLX); R(1, x, RLX))
BODY(co_read_b, R(2, x, RLX); R(3, x, RLX))

/* Independent reads of independent writes. */
BODY(iriw_x, W(x, 1, REL))
BODY(iriw_y, W(y, 1, REL))
BODY(iriw_a_acq, R(0, x, ACQ); R(1, y, ACQ))
BODY(iriw_b_acq, R(2, y, ACQ); R(3, x, ACQ))
BODY(iriw_a_fence, R(0, x, RLX); F(seq_cst); R(1, y, RLX))
BODY(iriw_b_fence, R(2, y, RLX); F(seq_cst); R(3, x, RLX))

/* Release sequences: r0 the flag, r1 the message. */
BODY(rs_a, W(x, 1, RLX); W(y, 1, REL))
BODY(rs_a_plain, W(x, 1, RLX); W(y, 1, REL); W(y, 2, RLX))
BODY(rs_add, ADD(y, 1, RLX))
BODY(rs_a_add, W(x, 1, RLX); W(y, 1, REL); ADD(y, 1, RLX))
BODY(rs_a_fence, W(x, 1, RLX); F(release); W(y, 1, RLX))
BODY(rs_b_3, if (R(0, y, ACQ) == 3) R(1, x, RLX))
static void rs_cas_after_store(void)
{
    int64_t expected = 5;

    W(y, 5, RLX);
    fl_cas_relaxed(&y, &expected, (int64_t)6);
}

/* Two words, two writers. */
BODY(w22_a, W(x, 1, RLX); W(y, 2, RLX))
BODY(w22_b, W(y, 1, RLX); W(x, 2, RLX))
BODY(w22_a_fence, W(x, 1, RLX); F(seq_cst); W(y, 2, RLX))
BODY(w22_b_fence, W(y, 1, RLX); F(seq_cst); W(x, 2, RLX))

/* Load buffering. */
BODY(lb_a, R(0, x, RLX); W(y, 1, RLX))
BODY(lb_b, R(1, y, RLX); W(x, 1, RLX))

/* Write to read causality, over three threads. */
BODY(wrc_a, W(x, 1, RLX))
BODY(wrc_b, if (R(0, x, RLX) == 1) W(y, 1, REL))
BODY(wrc_b_relaxed, if (R(0, x, RLX) == 1) W(y, 1, RLX))
BODY(wrc_c, R(1, y, ACQ); R(2, x, RLX))
static void check_wrc(void)
{
    model_outcome("%d%d%d", (int)r[0], (int)r[1], (int)r[2]);
}

/* Store to one, read of the other (R): needs both fences. */
BODY(r_a_fence, W(x, 1, RLX); F(seq_cst); W(y, 1, RLX))
BODY(r_b_fence, W(y, 2, RLX); F(seq_cst); R(0, x, RLX))
BODY(r_a, W(x, 1, RLX); W(y, 1, REL))
static void check_r(void)
{
    model_outcome("%d y%d", (int)r[0], (int)y);
}

/* Read-modify-writes are atomic. */
BODY(add_1, ADD(x, 1, RLX))
static void swap_after(void)
{
    int64_t expected = 0;

    r[0] = fl_cas_relaxed(&x, &expected, (int64_t)5);
}
static void weak_swap_after(void)
{
    int64_t expected = 0;

    r[0] = fl_cas_weak_relaxed(&x, &expected, (int64_t)5);
    r[1] = expected;
}
static void weak_swap_loop(void)
{
    int64_t expected = 0;

    while (!fl_cas_weak_relaxed(&x, &expected, expected + 1))
        continue;
}
static void check_sum(void)
{
    model_outcome("x%d", (int)x);
}
static void check_cas(void)
{
    model_outcome("%d x%d", (int)r[0], (int)x);
}

/* Plain data. */
BODY(race_a, MODEL_WRITE(plain, 1); W(y, 1, REL))
BODY(race_a_relaxed, MODEL_WRITE(plain, 1); W(y, 1, RLX))
BODY(race_b_read, if (R(0, y, ACQ)) r[1] = MODEL_READ(plain))
BODY(
    race_b_fences, if (R(0, y, RLX)) {
        F(seq_cst);
        r[1] = MODEL_READ(plain);
    })
BODY(race_a_fences, MODEL_WRITE(plain, 1); F(seq_cst); W(y, 1, RLX))
BODY(race_b_late, r[0] = 0; F(seq_cst); r[1] = MODEL_READ(plain))

#define SB_WEAK   "00 | 01 | 10 | 11"
#define SB_STRONG "01 | 10 | 11"
#define MP_WEAK   "00 | 01 | 10 | 11"
#define MP_STRONG "00 | 01 | 11"

/* name, what is printed of an execution, exactly what must be printed, the threads. */
#define ALLOWS(name, print, outcomes, ...)                          \
    {                                                               \
        name, setup, {__VA_ARGS__}, print, outcomes, 0, 0, 0, false \
    }
#define FAILS(name, words, ...)                                \
    {                                                          \
        name, setup, {__VA_ARGS__}, NULL, words, 0, 0, 0, true \
    }

/* Two things may fail for no reason. */
#define WEAK(name, print, outcomes, ...)                            \
    {                                                               \
        name, setup, {__VA_ARGS__}, print, outcomes, 2, 0, 0, false \
    }

static const struct model_case cases[] = {
    ALLOWS("store buffering: relaxed", check_2, SB_WEAK, sb_a, sb_b),
    ALLOWS("store buffering: release and acquire do not help", check_2, SB_WEAK,
           sb_a_rel_acq, sb_b_rel_acq),
    ALLOWS("store buffering: two seq_cst fences forbid it", check_2, SB_STRONG,
           sb_a_fence, sb_b_fence),
    ALLOWS("store buffering: one seq_cst fence does not", check_2, SB_WEAK, sb_a_fence,
           sb_b),
    ALLOWS("store buffering: light and heavy fence forbid it", check_2, SB_STRONG,
           sb_a_light, sb_b_heavy),
    ALLOWS("store buffering: two light fences do not", check_2, SB_WEAK, sb_a_light,
           sb_b_light),
    ALLOWS("store buffering: a heavy fence alone does not", check_2, SB_WEAK, sb_a,
           sb_b_heavy),
    ALLOWS("store buffering: heavy and seq_cst fence forbid it", check_2, SB_STRONG,
           sb_a_fence, sb_b_heavy),
    ALLOWS("store buffering: seq_cst accesses forbid it", check_2, SB_STRONG, sb_a_sc,
           sb_b_sc),
    ALLOWS("store buffering: seq_cst accesses against a fence forbid it", check_2,
           SB_STRONG, sb_a_sc, sb_b_fence),
    ALLOWS("store buffering: seq_cst read-modify-writes are no fences", check_2, SB_WEAK,
           sb_a_add, sb_b_add),
    ALLOWS("message passing: relaxed", check_2, MP_WEAK, mp_a, mp_b),
    ALLOWS("message passing: release to acquire", check_2, MP_STRONG, mp_a_rel, mp_b_acq),
    ALLOWS("message passing: release to relaxed", check_2, MP_WEAK, mp_a_rel, mp_b),
    ALLOWS("message passing: fence to fence", check_2, MP_STRONG, mp_a_fence, mp_b_fence),
    ALLOWS("message passing: fence to acquire", check_2, MP_STRONG, mp_a_fence, mp_b_acq),
    ALLOWS("message passing: release to fence", check_2, MP_STRONG, mp_a_rel, mp_b_fence),
    ALLOWS("message passing: light to heavy", check_2, MP_STRONG, mp_a_light, mp_b_heavy),
    ALLOWS("message passing: heavy to light", check_2, MP_STRONG, mp_a_heavy, mp_b_light),
    ALLOWS("message passing: light to light does not order", check_2, MP_WEAK, mp_a_light,
           mp_b_light),
    ALLOWS("coherence: one word never goes back", check_2, "00 | 01 | 11", co_write_1,
           co_read_a),
    ALLOWS("coherence: two readers agree on the order", check_4,
           "0000 | 0001 | 0002 | 0011 | 0012 | 0021 | 0022 | 0100 | 0101 | 0102 | 0111 | "
           "0112 | 0121 | 0122 | 0200 | 0201 | 0202 | 0211 | 0212 | 0221 | 0222 | 1100 | "
           "1101 | 1102 | 1111 | 1112 | 1121 | 1122 | 1200 | 1201 | 1202 | 1211 | 1212 | "
           "1222 | 2100 | 2101 | 2102 | 2111 | 2121 | 2122 | 2200 | 2201 | 2202 | 2211 | "
           "2212 | 2221 | 2222",
           co_write_1, co_write_2, co_read_a, co_read_b),
    ALLOWS("independent reads: acquire readers may disagree", check_4,
           "0000 | 0001 | 0010 | 0011 | 0100 | 0101 | 0110 | 0111 | 1000 | 1001 | 1010 | "
           "1011 | 1100 | 1101 | 1110 | 1111",
           iriw_x, iriw_y, iriw_a_acq, iriw_b_acq),
    ALLOWS("independent reads: seq_cst fences make them agree", check_4,
           "0000 | 0001 | 0010 | 0011 | 0100 | 0101 | 0110 | 0111 | 1000 | 1001 | 1011 | "
           "1100 | 1101 | 1110 | 1111",
           iriw_x, iriw_y, iriw_a_fence, iriw_b_fence),
    ALLOWS("release sequence: goes on through a read-modify-write", check_2,
           "00 | 01 | 10 | 11 | 21", rs_a, rs_add, mp_b_acq),
    ALLOWS("release sequence: ends at a later plain store", check_2,
           "00 | 01 | 11 | 20 | 21", rs_a_plain, mp_b_acq),
    ALLOWS("release sequence: goes on through the writer's own read-modify-write",
           check_2, "00 | 01 | 11 | 21", rs_a_add, mp_b_acq),
    ALLOWS("release sequence: goes on through two read-modify-writes", check_2,
           "0-1 | 1-1 | 2-1 | 31", rs_a, rs_add, rs_add, rs_b_3),
    ALLOWS("release sequence: begins at a store after a release fence", check_2,
           "00 | 01 | 10 | 11 | 21", rs_a_fence, rs_add, mp_b_acq),
    ALLOWS("release sequence: another's plain store ends it, and an exchange of that",
           check_2, "00 | 01 | 11 | 50 | 51 | 60 | 61", rs_a, rs_cas_after_store,
           mp_b_acq),
    ALLOWS("two words, two writers: both orders at once", check_final_xy,
           "x1 y1 | x1 y2 | x2 y1 | x2 y2", w22_a, w22_b),
    ALLOWS("two words, two writers: not with seq_cst fences", check_final_xy,
           "x1 y2 | x2 y1 | x2 y2", w22_a_fence, w22_b_fence),
    ALLOWS("load buffering: outside this model, never seen", check_2, "00 | 01 | 10",
           lb_a, lb_b),
    ALLOWS("causality: who releases passes on what it read", check_wrc,
           "000 | 001 | 100 | 101 | 111", wrc_a, wrc_b, wrc_c),
    ALLOWS("causality: a relaxed link breaks the chain", check_wrc,
           "000 | 001 | 100 | 101 | 110 | 111", wrc_a, wrc_b_relaxed, wrc_c),
    ALLOWS("store and read: forbidden with two seq_cst fences", check_r,
           "0 y1 | 1 y1 | 1 y2", r_a_fence, r_b_fence),
    ALLOWS("store and read: allowed with one", check_r, "0 y1 | 0 y2 | 1 y1 | 1 y2", r_a,
           r_b_fence),
    ALLOWS("read-modify-writes: none is lost", check_sum, "x3", add_1, add_1, add_1),
    ALLOWS("read-modify-writes: nothing comes between read and write", check_cas,
           "0 x1 | 1 x1", swap_after, co_write_1),
    WEAK("weak compare-and-swap: may fail though it finds what it expects", check_2,
         "00 | 01 | 10", weak_swap_after, co_write_1),
    WEAK("weak compare-and-swap: a loop around it loses nothing", check_sum, "x3",
         weak_swap_loop, weak_swap_loop, add_1),
    ALLOWS("weak compare-and-swap: strong where nothing fails for no reason", check_2,
           "01 | 10", weak_swap_after, co_write_1),
    ALLOWS("plain data: release to acquire", check_2, "0-1 | 11", race_a, race_b_read),
    ALLOWS("plain data: seq_cst fences around relaxed accesses", check_2, "0-1 | 11",
           race_a_fences, race_b_fences),
    FAILS("plain data: a relaxed flag is a race", "data race on plain", race_a_relaxed,
          race_b_read),
    FAILS("plain data: a row of fences without a flag is a race", "data race on plain",
          race_a_fences, race_b_late),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
