/* options.c - the environment and the options; see options.h. */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "atomics.h"
#include "base.h"

/* A spinning worker sees new work in under a microsecond, a sleeping one in 50: spinning
 * for as long as a wake-up takes costs at most twice the best choice. */
#define SPIN_US_DEFAULT 50u
#define SPIN_US_MAX     10000000u

enum variable { NUM_THREADS, BIND, SPIN_US, STACKSIZE, FENCES, VARIABLES };

static const char *const names[VARIABLES] = {"FILCH_NUM_THREADS", "FILCH_BIND",
                                             "FILCH_SPIN_US", "FILCH_STACKSIZE",
                                             "FILCH_FENCES"};

static bool is_displayed(void)
{
    const char *value = fl_getenv("FILCH_DISPLAY");

    return value && *value && strcmp(value, "0") != 0;
}

static void report(enum variable variable, const char *expected)
{
    static uint32_t reported[VARIABLES]; /* once per process, not per pool */

    if (!is_displayed())
        return;
    if (fl_add_relaxed(&reported[variable], 1) == 0) /* a count, no more */
        fprintf(stderr, "filch: %s=\"%s\" ignored: expected %s\n", names[variable],
                fl_getenv(names[variable]), expected);
}

/* The variable's text, or NULL when it is unset or empty. */
static const char *text_of(enum variable variable)
{
    const char *text = fl_getenv(names[variable]);

    return text && *text ? text : NULL;
}

/* Digits, and a suffix if a list of them is given, each 1,024 times the one before. */
static bool parse_number(const char *text, const char *suffixes, uint64_t *number)
{
    char *end;
    const char *suffix;
    int shift = 0;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *number = strtoull(text, &end, 10);
    if (errno)
        return false;
    if (*end && (suffix = strchr(suffixes, *end))) {
        shift = ((int)(suffix - suffixes) / 2 + 1) * 10;
        end++;
    }
    if (*end || (shift && *number > UINT64_MAX >> shift))
        return false;
    *number <<= shift;
    return true;
}

/* 0 when the variable is unset or malformed. */
static uint64_t number_of(enum variable variable, const char *suffixes, uint64_t least,
                          uint64_t most, const char *expected, bool *is_set)
{
    const char *text = text_of(variable);
    uint64_t number;

    *is_set = false;
    if (!text)
        return 0;
    if (!parse_number(text, suffixes, &number) || number < least || number > most) {
        report(variable, expected);
        return 0;
    }
    *is_set = true;
    return number;
}

/* The place of the variable's text in a list that ends with NULL; -1 when it is unset or
 * malformed. */
static int choice_of(enum variable variable, const char *const *choices,
                     const char *expected)
{
    const char *text = text_of(variable);
    int i;

    if (!text)
        return -1;
    for (i = 0; choices[i]; i++)
        if (strcmp(text, choices[i]) == 0)
            return i;
    report(variable, expected);
    return -1;
}

int fl_pool_options_check(const filch_pool_options *options)
{
    if (!options)
        return 0;
    if (options->struct_size != sizeof *options || options->abi != FILCH_HOT_ABI ||
        options->workers > FILCH_MAX_WORKERS || options->bind < FILCH_BIND_AUTO ||
        options->bind > FILCH_BIND_NONE || options->spin_us < -1 ||
        options->spin_us > (int32_t)SPIN_US_MAX || options->inherit_scheduling > 1)
        return -EINVAL;
    return 0;
}

int fl_opts_check(const filch_opts *opts)
{
    if (opts && (opts->struct_size != sizeof *opts || opts->abi != FILCH_HOT_ABI))
        return -EINVAL;
    if (opts && opts->max_chunk && opts->max_chunk < opts->grain)
        return -EINVAL;
    return 0;
}

static void resolve_workers(struct fl_config *config, const filch_pool_options *options,
                            const struct fl_topology *topology, uint64_t quota_milli)
{
    uint64_t quota = quota_milli ? FL_MAX(quota_milli / 1000, 1) : UINT64_MAX;
    bool is_set;
    uint64_t number = number_of(NUM_THREADS, "", 1, FILCH_MAX_WORKERS,
                                "a number from 1 to 4096", &is_set);

    if (options && options->workers) {
        config->workers = options->workers;
        config->reason = "options";
    } else if (is_set) {
        config->workers = (uint32_t)number;
        config->reason = "FILCH_NUM_THREADS";
    } else if (quota < topology->count) {
        config->workers = (uint32_t)quota;
        config->reason = "CPU quota";
    } else {
        config->workers = FL_MIN(topology->count, FILCH_MAX_WORKERS);
        config->reason =
            topology->is_mask_refused ? "affinity mask refused" : "affinity mask";
    }
}

void fl_config_resolve(struct fl_config *config, const filch_pool_options *options,
                       const struct fl_topology *topology, uint64_t quota_milli)
{
    static const char *const binds[] = {"auto", "core", "node", "none", NULL};
    static const char *const fences[] = {"auto", "classic", NULL};
    uint64_t number;
    bool is_set;
    int choice;

    resolve_workers(config, options, topology, quota_milli);

    choice = choice_of(BIND, binds, "auto, core, node or none");
    config->bind = options && options->bind ? options->bind
                   : choice >= 0            ? choice
                                            : FILCH_BIND_AUTO;

    number =
        number_of(SPIN_US, "", 0, SPIN_US_MAX, "microseconds, at most 10000000", &is_set);
    if (options && options->spin_us)
        number = options->spin_us < 0 ? 0 : (uint64_t)options->spin_us;
    else if (!is_set)
        /* With more workers than CPUs, who spins keeps another from working. */
        number = config->workers > topology->count ? 0 : SPIN_US_DEFAULT;
    config->spin_ns = number * 1000;

    number = number_of(STACKSIZE, "kKmMgG", 1, SIZE_MAX / 2, "bytes, or with K, M or G",
                       &is_set);
    config->stack_bytes =
        options && options->stack_bytes ? options->stack_bytes : (size_t)number;

    config->is_displayed = is_displayed();
    config->is_classic = choice_of(FENCES, fences, "auto or classic") == 1;
}

void fl_config_display(const struct fl_config *config, uint32_t workers,
                       const char *reason, bool is_asymmetric)
{
    static const char *const binds[] = {"auto", "core", "node", "none"};

    if (!config->is_displayed)
        return;
    fprintf(stderr, "filch: %u worker%s (%s), bind %s, spin %llu us, fences %s\n",
            workers, workers == 1 ? "" : "s", reason, binds[config->bind],
            (unsigned long long)(config->spin_ns / 1000),
            is_asymmetric ? "asymmetric" : "classic");
}
