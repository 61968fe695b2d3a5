/* trace.c - see trace.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include "heap.h"
#include "model.h"
#include "trace.h"

enum { STEPS = 4096, NAMES = 96, NAME_BYTES = 40, NAMES_IN_USE = 8 };

static struct trace_step steps[STEPS];
static unsigned count;
static struct {
    const void *address;
    char text[NAME_BYTES];
} names[NAMES];
static unsigned name_count;

void trace_reset(void)
{
    count = 0;
}

void trace_add(const struct trace_step *step)
{
    if (count < STEPS)
        steps[count++] = *step;
}

void model_name(const void *address, const char *format, ...)
{
    va_list args;
    unsigned i;

    for (i = 0; i < name_count; i++)
        if (names[i].address == address)
            break;
    if (i == NAMES)
        return;
    if (i == name_count)
        name_count++;
    names[i].address = address;
    va_start(args, format);
    vsnprintf(names[i].text, sizeof names[i].text, format, args);
    va_end(args);
}

static const char *find_name(const void *address)
{
    unsigned i;

    for (i = 0; i < name_count; i++)
        if (names[i].address == address)
            return names[i].text;
    return NULL;
}

const char *trace_name(const void *address)
{
    static char buffer[NAMES_IN_USE][NAME_BYTES];
    static unsigned next;
    const char *name = find_name(address);

    if (name)
        return name;
    next = (next + 1) % NAMES_IN_USE;
    if (!heap_name(address, buffer[next], sizeof buffer[next]))
        snprintf(buffer[next], sizeof buffer[next], "%p", address);
    return buffer[next];
}

static void format_value(char *text, size_t bytes, uint64_t value)
{
    const void *address = (const void *)(uintptr_t)value;
    const char *name = value ? find_name(address) : NULL;

    if (name)
        snprintf(text, bytes, "&%s", name);
    else if (heap_name(address, text, bytes))
        return;
    else if (value == (uint64_t)INT64_MIN)
        snprintf(text, bytes, "min");
    else if (value >> 32 && value >> 63 == 0)
        snprintf(text, bytes, "%" PRIu64 "<<32+%" PRIu64, value >> 32,
                 value & 0xffffffffu);
    else
        snprintf(text, bytes, "%" PRId64, (int64_t)value);
}

static const char *order_name(int order)
{
    static const char *const text[] = {"relaxed", "acquire", "release", "acq_rel"};

    return order < 0 ? "" : order & MODEL_SC ? "seq_cst" : text[order & 3];
}

static void print_step(FILE *out, const struct trace_step *s)
{
    char operation[64], values[128], source[64], was[48], is[48];
    const char *base = strrchr(s->file, '/');

    snprintf(operation, sizeof operation, "%s %s", s->what, order_name(s->order));
    format_value(was, sizeof was, s->was);
    format_value(is, sizeof is, s->is);
    snprintf(values, sizeof values, "%s%s%s", s->is_read ? was : "",
             s->is_written ? " -> " : "", s->is_written ? is : "");
    source[0] = '\0';
    if (s->is_read && s->from_thread < 0)
        snprintf(source, sizeof source, "initial");
    else if (s->is_read)
        snprintf(source, sizeof source, "from T%d.%u", s->from_thread, s->from_step);
    if (s->newer)
        snprintf(source + strlen(source), sizeof source - strlen(source), " (%u newer)",
                 s->newer);
    fprintf(out, "  T%d.%-4u %*s%-21s %-20s %-22s %-22s %s:%d\n", s->thread, s->step,
            2 * s->thread, "", operation, s->address ? trace_name(s->address) : "",
            values, source, base ? base + 1 : s->file, s->line);
}

void trace_print(FILE *out)
{
    unsigned i;

    for (i = 0; i < count; i++)
        print_step(out, &steps[i]);
}
