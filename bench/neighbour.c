/* neighbour.c - see neighbour.h. */
#define _GNU_SOURCE /* sched_setaffinity */
#include "neighbour.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t neighbour;

/* Machines with more CPUs than a cpu_set_t holds are not looked for: -EINVAL there. */
static int pin_to_last(void)
{
    cpu_set_t allowed;
    cpu_set_t last;

    if (sched_getaffinity(0, sizeof allowed, &allowed))
        return -errno;
    CPU_ZERO(&last);
    for (size_t cpu = CPU_SETSIZE; cpu-- > 0;) {
        if (CPU_ISSET(cpu, &allowed)) {
            CPU_SET(cpu, &last);
            break;
        }
    }
    return sched_setaffinity(0, sizeof last, &last) ? -errno : 0;
}

static _Noreturn void burn(void)
{
    for (volatile uint64_t turns = 0;; turns++)
        ;
}

int neighbour_start(enum neighbour kind)
{
    pid_t parent = getpid();
    int ready[2];
    int err = 0;

    if (kind == NEIGHBOUR_NONE)
        return 0;
    if (pipe(ready))
        return -errno;
    neighbour = fork();
    if (neighbour == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL))
            err = -errno;
        if (getppid() != parent) /* it died before it could be watched */
            _exit(0);
        if (!err && kind == NEIGHBOUR_PINNED)
            err = pin_to_last();
        if (write(ready[1], &err, sizeof err) != sizeof err || err)
            _exit(1);
        close(ready[0]);
        close(ready[1]);
        burn();
    }
    if (neighbour < 0)
        err = -errno;
    close(ready[1]);
    if (!err && read(ready[0], &err, sizeof err) != sizeof err)
        err = -EIO;
    close(ready[0]);
    if (err)
        neighbour_stop();
    return err;
}

void neighbour_stop(void)
{
    if (neighbour <= 0)
        return;
    kill(neighbour, SIGKILL);
    waitpid(neighbour, NULL, 0);
    neighbour = 0;
}
