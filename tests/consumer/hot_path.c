/* hot_path.c - what hot_path.sh disassembles: a fork and a reclaim around two calls. */
#include <filch/filch.h>

long hot_path(filch_worker *w, filch_job *job);
long left_branch(filch_worker *w);
long right_branch(filch_worker *w);

long hot_path(filch_worker *w, filch_job *job)
{
    int64_t place = filch_fork(w, job);
    long sum = left_branch(w);

    if (filch_reclaim(w, job, place))
        return sum + right_branch(w);
    filch_await(w, job);
    return sum;
}
