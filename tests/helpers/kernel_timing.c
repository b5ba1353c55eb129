/* kernel_timing.c - how long the calls of a case take, for --bench (kernel_harness.h). A figure to
 * look at while working on a kernel: nothing is asserted of it, and `deeper bench` says what counts
 * in the end. */
#include "base/cpu.h"
#include "helpers/kernel_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMINGS_MAX = 1024, BATCHES = 25 };

static const double BATCH_SECONDS = 2e-4;

typedef struct timing {
    char label[2 * KERNEL_LABEL_SIZE];
    const char *family;
    dp_isa isa;
    double seconds, rate; /* of a call; work a second */
    kernel_unit unit;
} timing;

struct kernel_timings {
    timing rows[TIMINGS_MAX];
    int count;
};

kernel_timings *kernel_timings_create(void) {
    return calloc(1, sizeof(kernel_timings));
}

void kernel_timings_free(kernel_timings *timings) {
    free(timings);
}

/* The same case on that instruction set; NULL: not measured. */
static const timing *find(const kernel_timings *timings, const timing *row, dp_isa isa) {
    for (int i = 0; i < timings->count; i++) {
        const timing *other = &timings->rows[i];
        if (other->isa == isa && other->family == row->family
            && strcmp(other->label, row->label) == 0)
            return other;
    }
    return NULL;
}

static double seconds_of(void (*call)(const void *), const void *operands, long calls) {
    const double begin = dp_now();
    for (long i = 0; i < calls; i++)
        call(operands);
    return dp_now() - begin;
}

void kernel_time(kernel_test *t, const char *what, void (*call)(const void *), const void *operands,
                 double work, kernel_unit unit) {
    /* Operands straight before a guard page are aligned as in a plan's arena. */
    if (!t->timings || t->side != KERNEL_GUARD_AFTER || t->timings->count == TIMINGS_MAX)
        return;
    timing row = { .family = t->family, .isa = t->kernels->isa, .unit = unit };
    snprintf(row.label, sizeof row.label, "%s%s%s", what, *what ? ", " : "", t->label);
    if (find(t->timings, &row, row.isa))
        return;
    long calls = 1;
    while (seconds_of(call, operands, calls) < BATCH_SECONDS)
        calls *= 2;
    double best = seconds_of(call, operands, calls);
    for (int i = 1; i < BATCHES; i++) {
        const double seconds = seconds_of(call, operands, calls);
        best = seconds < best ? seconds : best;
    }
    row.seconds = best / (double)calls;
    row.rate = work * (double)calls / best;
    t->timings->rows[t->timings->count++] = row;
}

static void print_row(const kernel_timings *timings, const timing *row) {
    const timing *portable = find(timings, row, DP_ISA_PORTABLE);
    printf("%-10s %-54s %-9s %10.1f %9.2f %-9s", row->family, row->label, dp_isa_name(row->isa),
           row->seconds * 1e9, row->rate / 1e9, row->unit == KERNEL_FLOPS ? "GFLOP/s" : "Gfloat/s");
    if (portable)
        printf(" %9.2fx", row->rate / portable->rate);
    printf("\n");
}

/* Instruction sets of a case one below the other. */
void kernel_timings_print(const kernel_timings *timings) {
    printf("%-10s %-54s %-9s %10s %19s %10s\n", "family", "case", "isa", "ns a call", "rate",
           "portable");
    for (int i = 0; i < timings->count; i++) {
        const timing *row = &timings->rows[i];
        bool first = true;
        for (int isa = 0; isa < (int)row->isa; isa++)
            first = first && !find(timings, row, (dp_isa)isa);
        for (int isa = 0; first && isa < DP_ISA_COUNT; isa++) {
            const timing *of_isa = find(timings, row, (dp_isa)isa);
            if (of_isa)
                print_row(timings, of_isa);
        }
    }
}
