/* platform_quota.c - how much CPU time the control groups leave to this process.
 *
 * Job: fl_cpu_quota_milli. A container limited to two CPUs still sees all CPUs of its
 * machine in the affinity mask; a pool that starts a worker for each spends its quota
 * early in every period and then stands still.
 *
 * Relies on /proc/self/cgroup (which groups), /proc/self/mountinfo (where they are
 * mounted) and the files of the groups; see proc(5), cgroups(7). What is missing,
 * unreadable or not understood is taken for "no limit". Never writes, never looks outside
 * the given root.
 *
 * A limit is in thousandths of a CPU; 0 is no limit, here as in the result.
 */
#define _GNU_SOURCE
#include "platform.h"
#include "base.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The groups of this process, as paths in their hierarchies; "" where it is in none. A
 * hybrid system has both, with the cpu controller in one of them. */
struct groups {
    char v1_cpu[PATH_MAX];
    char v2[PATH_MAX];
};

/* One line of mountinfo: the directory `root` of the mounted hierarchy is at `point`. */
struct mount {
    char *root;
    char *point;
    char *type;
    char *options;
};

typedef uint64_t limit_reader(const char *directory);

/* --- small parts ------------------------------------------------------------------ */

static uint64_t smaller_limit(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return FL_MIN(a, b);
}

/* False if there is no number, or none that means anything: "max", "-1" and whatever is
 * longer than 31 years of microseconds. */
static bool parse_us(const char **text, uint64_t *us)
{
    const uint64_t longest_us = 1000000000000000; /* times 1000 still fits in 64 bits */
    uint64_t value = 0;

    if (!isdigit((unsigned char)**text))
        return false;
    for (; isdigit((unsigned char)**text); (*text)++) {
        value = value * 10 + (uint64_t)(**text - '0');
        if (value > longest_us)
            return false;
    }
    *us = value;
    return true;
}

static uint64_t limit_of(uint64_t quota_us, uint64_t period_us)
{
    if (quota_us == 0 || period_us == 0)
        return 0;
    return FL_MAX(quota_us * 1000 / period_us, 1);
}

static bool list_has(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (;;) {
        size_t item_length = strcspn(list, ",");

        if (item_length == length && strncmp(list, word, length) == 0)
            return true;
        if (list[item_length] == '\0')
            return false;
        list += item_length + 1;
    }
}

static bool is_octal_digit(char c)
{
    return c >= '0' && c <= '7';
}

/* mountinfo writes a blank in a path as \040, and likewise tab, newline and backslash. */
static void unescape(char *path)
{
    char *out = path;

    while (*path) {
        if (path[0] == '\\' && is_octal_digit(path[1]) && is_octal_digit(path[2]) &&
            is_octal_digit(path[3])) {
            *out++ = (char)((path[1] - '0') * 64 + (path[2] - '0') * 8 + (path[3] - '0'));
            path += 4;
        } else {
            *out++ = *path++;
        }
    }
    *out = '\0';
}

/* NULL also when the joined path is too long to be a path. */
static FILE *open_file(const char *directory, const char *name)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", directory, name);

    if (length < 0 || (size_t)length >= sizeof path)
        return NULL;
    return fopen(path, "re");
}

/* False when there is no such file, or nothing in it. */
static bool read_first_line(const char *directory, const char *name, char *line,
                            int line_bytes)
{
    FILE *file = open_file(directory, name);
    bool is_read;

    if (!file)
        return false;
    is_read = fgets(line, line_bytes, file) != NULL;
    fclose(file);
    return is_read;
}

/* --- the limit of one group ------------------------------------------------------- */

/* cpu.max: "150000 100000", quota and period; "max 100000" without a limit. */
static uint64_t read_limit_v2(const char *directory)
{
    char line[128];
    const char *text = line;
    uint64_t quota_us;
    uint64_t period_us;

    if (!read_first_line(directory, "cpu.max", line, sizeof line))
        return 0;
    if (!parse_us(&text, &quota_us) || *text++ != ' ' || !parse_us(&text, &period_us))
        return 0;
    return limit_of(quota_us, period_us);
}

static bool read_us(const char *directory, const char *name, uint64_t *us)
{
    char line[128];
    const char *text = line;

    return read_first_line(directory, name, line, sizeof line) && parse_us(&text, us);
}

/* Two files; the quota is -1 without a limit. */
static uint64_t read_limit_v1(const char *directory)
{
    uint64_t quota_us;
    uint64_t period_us;

    if (!read_us(directory, "cpu.cfs_quota_us", &quota_us) ||
        !read_us(directory, "cpu.cfs_period_us", &period_us))
        return 0;
    return limit_of(quota_us, period_us);
}

/* --- from the group up to the mount point ----------------------------------------- */

/* True of "/..", "/../..": the mount shows what is above the group that is the root of
 * our cgroup namespace. */
static bool is_above_namespace(const char *path)
{
    while (strncmp(path, "/..", 3) == 0)
        path += 3;
    return *path == '\0';
}

/* The part of a group's path that is below the mounted directory, "" for that directory
 * itself; NULL if the mount does not show the group. */
static const char *path_in_mount(const char *group, const char *mount_root)
{
    size_t length = strlen(mount_root);

    /* The names in between are hidden by the namespace, but the mount point is around
     * us. */
    if (is_above_namespace(mount_root))
        return "";
    if (strcmp(group, "/..") == 0 || strncmp(group, "/../", 4) == 0)
        return NULL; /* outside of the namespace, so the mount shows other groups */
    if (strcmp(mount_root, "/") == 0)
        length = 0;
    if (strncmp(group, mount_root, length) != 0)
        return NULL;
    group += length;
    if (*group != '/' && *group != '\0')
        return NULL; /* "/docker/ab" is not around "/docker/abc" */
    return strcmp(group, "/") == 0 ? "" : group;
}

/* A group's own limit does not tell: the kernel enforces those of all groups around it
 * too. */
static uint64_t smallest_limit(const char *root, const struct mount *mount,
                               const char *group, limit_reader *read_limit)
{
    char directory[PATH_MAX];
    const char *below = path_in_mount(group, mount->root);
    size_t mount_point_length = strlen(root) + strlen(mount->point);
    uint64_t limit;
    int length;

    if (!below)
        return 0;
    length = snprintf(directory, sizeof directory, "%s%s%s", root, mount->point, below);
    if (length < 0 || (size_t)length >= sizeof directory)
        return 0;

    limit = read_limit(directory);
    while (strlen(directory) > mount_point_length) {
        *strrchr(directory, '/') = '\0';
        limit = smaller_limit(limit, read_limit(directory));
    }
    return limit;
}

/* --- the two files of proc -------------------------------------------------------- */

/* "4:cpu,cpuacct:/user.slice" in v1, "0::/user.slice" in v2. */
static void parse_group(char *line, struct groups *groups)
{
    const char *controllers;
    const char *path;

    strsep(&line, ":");
    controllers = strsep(&line, ":");
    path = line; /* the rest of the line: a path may have colons */
    if (!path || *path != '/' || strlen(path) >= PATH_MAX)
        return;
    if (*controllers == '\0')
        memcpy(groups->v2, path, strlen(path) + 1);
    else if (list_has(controllers, "cpu"))
        memcpy(groups->v1_cpu, path, strlen(path) + 1);
}

/* "32 31 0:29 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu", with any number
 * of fields before the dash. strsep, since a field may be empty. False if something is
 * missing. */
static bool parse_mount(char *line, struct mount *mount)
{
    const char *field;

    strsep(&line, " "); /* id */
    strsep(&line, " "); /* parent's id */
    strsep(&line, " "); /* device */
    mount->root = strsep(&line, " ");
    mount->point = strsep(&line, " ");
    do
        field = strsep(&line, " ");
    while (field && strcmp(field, "-") != 0);
    mount->type = strsep(&line, " ");
    strsep(&line, " "); /* source */
    mount->options = strsep(&line, " ");

    if (!mount->options || mount->root[0] != '/' || mount->point[0] != '/')
        return false;
    unescape(mount->root);
    unescape(mount->point);
    return true;
}

static uint64_t limit_in_mount(const char *root, const struct mount *mount,
                               const struct groups *groups)
{
    if (strcmp(mount->type, "cgroup2") == 0 && groups->v2[0])
        return smallest_limit(root, mount, groups->v2, read_limit_v2);
    if (strcmp(mount->type, "cgroup") == 0 && list_has(mount->options, "cpu") &&
        groups->v1_cpu[0])
        return smallest_limit(root, mount, groups->v1_cpu, read_limit_v1);
    return 0;
}

/* getline without the newline. False at the end of the file. */
static bool next_line(FILE *file, char **line, size_t *capacity)
{
    if (getline(line, capacity, file) < 0)
        return false;
    (*line)[strcspn(*line, "\n")] = '\0';
    return true;
}

static void read_groups(const char *root, struct groups *groups)
{
    FILE *file = open_file(root, "proc/self/cgroup");
    char *line = NULL;
    size_t capacity = 0;

    groups->v1_cpu[0] = '\0';
    groups->v2[0] = '\0';
    if (!file)
        return;
    while (next_line(file, &line, &capacity))
        parse_group(line, groups);
    free(line);
    fclose(file);
}

uint64_t fl_cpu_quota_milli(const char *root)
{
    struct groups groups;
    struct mount mount;
    uint64_t limit = 0;
    FILE *file = open_file(root, "proc/self/mountinfo");
    char *line = NULL;
    size_t capacity = 0;

    if (!file)
        return 0;
    read_groups(root, &groups);
    while (next_line(file, &line, &capacity))
        if (parse_mount(line, &mount))
            limit = smaller_limit(limit, limit_in_mount(root, &mount, &groups));
    free(line);
    fclose(file);
    return limit;
}
