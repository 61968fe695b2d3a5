/* prices.h - what help costs: measured when a pool starts; see launch.h for what for.
 *
 * Job: a short conversation between who starts a pool and the pool's first thread, before
 * that looks for work. Either side gives up on the other after a millisecond.
 */
#ifndef FL_PRICES_H
#define FL_PRICES_H

#include "worker.h"

/* Prices without a measurement. Pre: the clock is calibrated. */
void fl_prices_guess(struct fl_launch *launch);

/* The pool's first thread is to take part. Before it is started. */
void fl_prices_ask(struct fl_launch *launch);

/* Measure, with the thread whose parker this is. Post: the prices are set or as guessed,
 * and the thread goes on to look for work. */
void fl_prices_measure(struct fl_launch *launch, struct fl_parker *parker);

/* The part of a pool's thread, at its start: nothing, unless it was asked. */
void fl_prices_answer(struct fl_worker *worker);

#endif
