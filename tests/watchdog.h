/* watchdog.h - a test that hangs says what for, and ends.
 *
 * Stands in every cmocka program without being called: FILCH_TEST_PATIENCE seconds after
 * its start it prints what every worker of every pool does or waits for, and every
 * thread, and aborts. 0 or not set: never. A child of fork() has none.
 */
#ifndef TESTS_WATCHDOG_H
#define TESTS_WATCHDOG_H

/* From now on so many seconds; 0: never. */
void watchdog_restart(unsigned seconds);

#endif
