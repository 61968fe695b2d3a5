/* options.h - what the environment, the options and the machine say about a pool.
 *
 * Job: turn them into one configuration, and check the options of calls. Explicit numbers
 * (options before environment) win over what the machine suggests.
 */
#ifndef FL_OPTIONS_H
#define FL_OPTIONS_H

#include <filch/pool.h>
#include "topology.h"

struct fl_config {
    uint32_t workers;
    const char *reason; /* for that number */
    int bind;
    uint64_t spin_ns;
    size_t stack_bytes; /* 0: the platform's choice */
    bool is_classic;    /* no asymmetric fences, please */
    bool is_displayed;  /* FILCH_DISPLAY */
};

/* -EINVAL for options that are out of range or of another ABI; NULL is fine. */
int fl_pool_options_check(const filch_pool_options *options);
int fl_opts_check(const filch_opts *opts);

/* Has the token of a call been set? NULL is fine. */
static inline bool fl_opts_are_cancelled(const filch_opts *opts)
{
    return opts && opts->cancel && filch_cancel_is_set(opts->cancel);
}

/* Pre: options were checked. Malformed variables are ignored, and reported on stderr,
 * once each, when FILCH_DISPLAY is set. */
void fl_config_resolve(struct fl_config *config, const filch_pool_options *options,
                       const struct fl_topology *topology, uint64_t quota_milli);

/* Print the configuration on stderr when FILCH_DISPLAY is set. */
void fl_config_display(const struct fl_config *config, uint32_t workers,
                       const char *reason, bool is_asymmetric);

#endif
