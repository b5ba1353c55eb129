/* bench_steps.h - the table of `deeper bench --layers`: every step of a plan as it is told, then
 * the sums of each operation. */
#ifndef CLI_BENCH_STEPS_H
#define CLI_BENCH_STEPS_H

#include "output.h"

enum { CLI_OPERATIONS = 48 };

/* The steps of one operation. */
typedef struct cli_operation {
    char name[24];
    int steps;
    double ms, waiting_ms, share, floor_ms, gflop;
} cli_operation;

typedef struct cli_steps {
    json_t *rows; /* with --json: an array that receives an object a step; else they are printed */
    cli_operation operations[CLI_OPERATIONS];
    int operation_count, step_count;
} cli_steps;

/* Takes one step; context is a cli_steps that began zeroed. The `step` of deeper_bench_steps. */
void cli_steps_take(void *context, const deeper_bench_step *step);

/* The sums, printed after the last step. */
void cli_steps_end(const cli_steps *steps);

#endif
