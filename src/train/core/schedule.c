/* schedule.c - the four curves as a table of functions, and the warm-up before them. */
#include "train/core/schedule.h"

#include <math.h>
#include <string.h>

static double cosine(double t, double epoch) {
    return (1 + cos(acos(-1.0) * t)) / 2;
}

static double poly(double t, double epoch) {
    return sqrt(1 - t);
}

static double step(double t, double epoch) {
    return pow(0.96, floor(epoch / 8));
}

static double constant(double t, double epoch) {
    return 1;
}

static const struct {
    const char *name;
    double (*curve)(double t, double epoch);
} kinds[] = {
    [DP_SCHEDULE_COSINE] = { "cosine", cosine },
    [DP_SCHEDULE_POLY] = { "poly", poly },
    [DP_SCHEDULE_STEP] = { "step", step },
    [DP_SCHEDULE_CONSTANT] = { "constant", constant },
};

bool dp_schedule_from_name(dp_schedule_kind *kind, const char *name) {
    for (int i = 0; i < (int)(sizeof kinds / sizeof *kinds); i++)
        if (strcmp(kinds[i].name, name) == 0) {
            *kind = (dp_schedule_kind)i;
            return true;
        }
    return false;
}

double dp_schedule_rate(const dp_schedule *schedule, double epoch, double t) {
    t = fmin(1, fmax(0, t));
    double warm = schedule->warmup > 0 ? fmin(1, epoch / schedule->warmup) : 1;
    if (schedule->warmup_share < 1)
        warm = fmin(1, fmax(warm, t / schedule->warmup_share));
    return schedule->rate * warm * kinds[schedule->kind].curve(t, epoch);
}
