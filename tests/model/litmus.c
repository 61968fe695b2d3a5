/* litmus.c - the checker against textbook programs whose outcomes are known.
 *
 * Job: each case lists exactly the outcomes that C11 (as RC11 has it) allows: one that is
 * missing means that the checker is blind, one too many that it cries wolf. With
 * --compare the reduced search must agree with plain enumeration. Relies on the usual
 * verdicts: Alglave, Maranget and Tautschnig, Herding cats, TOPLAS 2014; Lahav et al.,
 * PLDI 2017; P1202 for the asymmetric fences. Load buffering, which RC11 forbids and
 * hardware does not, is listed as never seen.
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

/* Waiting. */
static uint32_t word;
static void setup_word(void)
{
    setup();
    word = 0;
    model_name(&word, "word");
}
BODY(spin_until, while (!fl_load_acquire(&y)) fl_spin_hint(); r[1] = MODEL_READ(plain);
     r[0] = 1)
BODY(nobody, R(2, x, RLX))
BODY(sleep_until, while (!fl_load_acquire(&word)) fl_futex_wait(&word, 0u); r[0] = 1)
BODY(sleep_once, fl_futex_wait(&word, 0u); r[0] = (int)fl_load_relaxed(&word))
BODY(wake, fl_store_release(&word, 1u); fl_futex_wake(&word, 1))
BODY(wake_too_early, fl_futex_wake(&word, 1); fl_store_release(&word, 1u))

#define SB_WEAK   "00 | 01 | 10 | 11"
#define SB_STRONG "01 | 10 | 11"
#define MP_WEAK   "00 | 01 | 10 | 11"
#define MP_STRONG "00 | 01 | 11"

static const struct model_case cases[] = {
    {"store buffering: relaxed", setup, {sb_a, sb_b}, check_2, SB_WEAK, 0, 0, 0, false},
    {"store buffering: release and acquire do not help",
     setup,
     {sb_a_rel_acq, sb_b_rel_acq},
     check_2,
     SB_WEAK,
     0,
     0,
     0,
     false},
    {"store buffering: two seq_cst fences forbid it",
     setup,
     {sb_a_fence, sb_b_fence},
     check_2,
     SB_STRONG,
     0,
     0,
     0,
     false},
    {"store buffering: one seq_cst fence does not",
     setup,
     {sb_a_fence, sb_b},
     check_2,
     SB_WEAK,
     0,
     0,
     0,
     false},
    {"store buffering: light and heavy fence forbid it",
     setup,
     {sb_a_light, sb_b_heavy},
     check_2,
     SB_STRONG,
     0,
     0,
     0,
     false},
    {"store buffering: two light fences do not",
     setup,
     {sb_a_light, sb_b_light},
     check_2,
     SB_WEAK,
     0,
     0,
     0,
     false},
    {"store buffering: a heavy fence alone does not",
     setup,
     {sb_a, sb_b_heavy},
     check_2,
     SB_WEAK,
     0,
     0,
     0,
     false},
    {"store buffering: heavy and seq_cst fence forbid it",
     setup,
     {sb_a_fence, sb_b_heavy},
     check_2,
     SB_STRONG,
     0,
     0,
     0,
     false},
    {"store buffering: seq_cst accesses forbid it",
     setup,
     {sb_a_sc, sb_b_sc},
     check_2,
     SB_STRONG,
     0,
     0,
     0,
     false},
    {"store buffering: seq_cst accesses against a fence forbid it",
     setup,
     {sb_a_sc, sb_b_fence},
     check_2,
     SB_STRONG,
     0,
     0,
     0,
     false},
    {"store buffering: seq_cst read-modify-writes are no fences",
     setup,
     {sb_a_add, sb_b_add},
     check_2,
     SB_WEAK,
     0,
     0,
     0,
     false},
    {"message passing: relaxed", setup, {mp_a, mp_b}, check_2, MP_WEAK, 0, 0, 0, false},
    {"message passing: release to acquire",
     setup,
     {mp_a_rel, mp_b_acq},
     check_2,
     MP_STRONG,
     0,
     0,
     0,
     false},
    {"message passing: release to relaxed",
     setup,
     {mp_a_rel, mp_b},
     check_2,
     MP_WEAK,
     0,
     0,
     0,
     false},
    {"message passing: fence to fence",
     setup,
     {mp_a_fence, mp_b_fence},
     check_2,
     MP_STRONG,
     0,
     0,
     0,
     false},
    {"message passing: fence to acquire",
     setup,
     {mp_a_fence, mp_b_acq},
     check_2,
     MP_STRONG,
     0,
     0,
     0,
     false},
    {"message passing: release to fence",
     setup,
     {mp_a_rel, mp_b_fence},
     check_2,
     MP_STRONG,
     0,
     0,
     0,
     false},
    {"message passing: light to heavy",
     setup,
     {mp_a_light, mp_b_heavy},
     check_2,
     MP_STRONG,
     0,
     0,
     0,
     false},
    {"message passing: heavy to light",
     setup,
     {mp_a_heavy, mp_b_light},
     check_2,
     MP_STRONG,
     0,
     0,
     0,
     false},
    {"message passing: light to light does not order",
     setup,
     {mp_a_light, mp_b_light},
     check_2,
     MP_WEAK,
     0,
     0,
     0,
     false},
    {"coherence: one word never goes back",
     setup,
     {co_write_1, co_read_a},
     check_2,
     "00 | 01 | 11",
     0,
     0,
     0,
     false},
    {"coherence: two readers agree on the order",
     setup,
     {co_write_1, co_write_2, co_read_a, co_read_b},
     check_4,
     "0000 | 0001 | 0002 | 0011 | 0012 | 0021 | 0022 | 0100 | 0101 | 0102 | 0111 | 0112 "
     "| "
     "0121 | 0122 | 0200 | 0201 | 0202 | 0211 | 0212 | 0221 | 0222 | 1100 | 1101 | 1102 "
     "| "
     "1111 | 1112 | 1121 | 1122 | 1200 | 1201 | 1202 | 1211 | 1212 | 1222 | 2100 | 2101 "
     "| "
     "2102 | 2111 | 2121 | 2122 | 2200 | 2201 | 2202 | 2211 | 2212 | 2221 | 2222",
     0,
     0,
     0,
     false},
    {"independent reads: acquire readers may disagree",
     setup,
     {iriw_x, iriw_y, iriw_a_acq, iriw_b_acq},
     check_4,
     "0000 | 0001 | 0010 | 0011 | 0100 | 0101 | 0110 | 0111 | 1000 | 1001 | 1010 | 1011 "
     "| "
     "1100 | 1101 | 1110 | 1111",
     0,
     0,
     0,
     false},
    {"independent reads: seq_cst fences make them agree",
     setup,
     {iriw_x, iriw_y, iriw_a_fence, iriw_b_fence},
     check_4,
     "0000 | 0001 | 0010 | 0011 | 0100 | 0101 | 0110 | 0111 | 1000 | 1001 | 1011 | 1100 "
     "| "
     "1101 | 1110 | 1111",
     0,
     0,
     0,
     false},
    {"release sequence: goes on through a read-modify-write",
     setup,
     {rs_a, rs_add, mp_b_acq},
     check_2,
     "00 | 01 | 10 | 11 | 21",
     0,
     0,
     0,
     false},
    {"release sequence: ends at a later plain store",
     setup,
     {rs_a_plain, mp_b_acq},
     check_2,
     "00 | 01 | 11 | 20 | 21",
     0,
     0,
     0,
     false},
    {"two words, two writers: both orders at once",
     setup,
     {w22_a, w22_b},
     check_final_xy,
     "x1 y1 | x1 y2 | x2 y1 | x2 y2",
     0,
     0,
     0,
     false},
    {"two words, two writers: not with seq_cst fences",
     setup,
     {w22_a_fence, w22_b_fence},
     check_final_xy,
     "x1 y2 | x2 y1 | x2 y2",
     0,
     0,
     0,
     false},
    {"load buffering: outside this model, never seen",
     setup,
     {lb_a, lb_b},
     check_2,
     "00 | 01 | 10",
     0,
     0,
     0,
     false},
    {"causality: who releases passes on what it read",
     setup,
     {wrc_a, wrc_b, wrc_c},
     check_wrc,
     "000 | 001 | 100 | 101 | 111",
     0,
     0,
     0,
     false},
    {"causality: a relaxed link breaks the chain",
     setup,
     {wrc_a, wrc_b_relaxed, wrc_c},
     check_wrc,
     "000 | 001 | 100 | 101 | 110 | 111",
     0,
     0,
     0,
     false},
    {"store and read: forbidden with two seq_cst fences",
     setup,
     {r_a_fence, r_b_fence},
     check_r,
     "0 y1 | 1 y1 | 1 y2",
     0,
     0,
     0,
     false},
    {"store and read: allowed with one",
     setup,
     {r_a, r_b_fence},
     check_r,
     "0 y1 | 0 y2 | 1 y1 | 1 y2",
     0,
     0,
     0,
     false},
    {"read-modify-writes: none is lost",
     setup,
     {add_1, add_1, add_1},
     check_sum,
     "x3",
     0,
     0,
     0,
     false},
    {"read-modify-writes: nothing comes between read and write",
     setup,
     {swap_after, co_write_1},
     check_cas,
     "0 x1 | 1 x1",
     0,
     0,
     0,
     false},
    {"plain data: release to acquire",
     setup,
     {race_a, race_b_read},
     check_2,
     "0-1 | 11",
     0,
     0,
     0,
     false},
    {"plain data: seq_cst fences around relaxed accesses",
     setup,
     {race_a_fences, race_b_fences},
     check_2,
     "0-1 | 11",
     0,
     0,
     0,
     false},
    {"plain data: a relaxed flag is a race",
     setup,
     {race_a_relaxed, race_b_read},
     NULL,
     NULL,
     0,
     0,
     0,
     true},
    {"plain data: a row of fences without a flag is a race",
     setup,
     {race_a_fences, race_b_late},
     NULL,
     NULL,
     0,
     0,
     0,
     true},
    {"waiting: a spin ends", setup, {race_a, spin_until}, check_2, "11", 0, 0, 0, false},
    {"waiting: a spin that nobody ends is found",
     setup,
     {nobody, spin_until},
     NULL,
     NULL,
     0,
     0,
     0,
     true},
    {"waiting: a futex, woken",
     setup_word,
     {wake, sleep_until},
     check_2,
     "1-1",
     0,
     0,
     0,
     false},
    {"waiting: a futex may return for no reason",
     setup_word,
     {nobody, sleep_once, wake},
     check_2,
     "0-1 | 1-1",
     1,
     0,
     0,
     false},
    {"waiting: a wake before the store is lost",
     setup_word,
     {wake_too_early, sleep_until},
     NULL,
     NULL,
     1,
     0,
     0,
     true},
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
