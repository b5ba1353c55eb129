/* load.c - see load.h. */
#include "load.h"

#include "output.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, in ticks. */
static double busy_seconds(void) {
    unsigned long long ticks[8];
    FILE *file = fopen("/proc/stat", "re");
    if (!file)
        return NAN;
    int count = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &ticks[0], &ticks[1],
                       &ticks[2], &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7]);
    fclose(file);
    if (count != 8)
        return NAN;
    return (double)(ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7])
           / (double)sysconf(_SC_CLK_TCK);
}

static double seconds_of(struct timeval time) {
    return (double)time.tv_sec + 1e-6 * (double)time.tv_usec;
}

cli_load cli_load_now(void) {
    struct rusage usage;
    cli_load load = { .busy = busy_seconds(), .own = NAN, .at = cli_now() };
    if (!getrusage(RUSAGE_SELF, &usage))
        load.own = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    return load;
}

double cli_load_others(const cli_load *since) {
    enum { TICKS = 50 }; /* below that many the count says nothing */
    const cli_load now = cli_load_now();
    const double spent = now.at - since->at;
    if (!(spent * (double)sysconf(_SC_CLK_TCK) >= TICKS))
        return NAN;
    return fmax(0, (now.busy - since->busy - (now.own - since->own)) / spent);
}

double cli_load_warn(const cli_load *since) {
    static const double MUCH = 0.25; /* of a processor: what a desktop does by itself stays below */
    const double others = cli_load_others(since);
    if (others >= MUCH)
        cli_warning("other programs kept %.1f processors busy meanwhile; the times are those of a "
                    "loaded machine",
                    others);
    return others;
}
