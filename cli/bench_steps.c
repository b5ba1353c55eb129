/* bench_steps.c - see bench_steps.h. */
#include "bench_steps.h"

#include "app/json.h"
#include <stdio.h>
#include <string.h>

static void add_object(json_t *rows, const deeper_bench_step *s) {
    json_array_append_new(
        rows, APP_OBJECT(app_text(KEY_layer, s->layer), app_text(KEY_operation, s->operation),
                         app_text(KEY_algorithm, s->algorithm), app_whole(KEY_phase, s->phase),
                         app_real(KEY_ms, s->ms), app_real(KEY_waiting_ms, s->waiting_ms),
                         app_real(KEY_share, s->share), app_real(KEY_gflops, s->gflops),
                         app_real(KEY_ratio_to_floor, s->ratio_to_floor),
                         app_whole(KEY_multiply_adds, s->multiply_adds)));
}

/* What both tables begin with. Steps without multiply-adds have no floor. */
static void print_times(double ms, double waiting_ms, double share, double gflops, double ratio) {
    printf("%9.3f %5.1f %9.3f ", ms, 100 * share, waiting_ms);
    if (ratio > 0)
        printf("%8.1f %6.2f", gflops, ratio);
    else
        printf("%8s %6s", "", "");
}

static void print_step(const cli_steps *steps, const deeper_bench_step *s) {
    if (steps->step_count == 0)
        printf("%9s %5s %9s %8s %6s %5s %-14s %-32s %s\n", "ms", "%", "waiting", "GFLOP/s", "ratio",
               "phase", "step", "layer", "algorithm");
    print_times(s->ms, s->waiting_ms, s->share, s->gflops, s->ratio_to_floor);
    cli_print_names(" %5d %-14s %-32s %s\n", s->phase, s->operation, s->layer, s->algorithm);
}

static void add_sums(cli_steps *steps, const deeper_bench_step *s) {
    int i = 0;
    while (i < steps->operation_count && strcmp(steps->operations[i].name, s->operation) != 0)
        i++;
    if (i == CLI_OPERATIONS)
        return;
    cli_operation *sum = &steps->operations[i];
    if (i == steps->operation_count) {
        steps->operation_count++;
        snprintf(sum->name, sizeof sum->name, "%s", s->operation);
    }
    sum->steps++;
    sum->ms += s->ms;
    sum->waiting_ms += s->waiting_ms;
    sum->share += s->share;
    sum->gflop += s->gflops * s->ms * 1e-3;
    sum->floor_ms += s->ratio_to_floor > 0 ? s->ms / s->ratio_to_floor : 0;
}

void cli_steps_take(void *context, const deeper_bench_step *step) {
    cli_steps *steps = context;
    if (steps->rows)
        add_object(steps->rows, step);
    else
        print_step(steps, step);
    add_sums(steps, step);
    steps->step_count++;
}

void cli_steps_end(const cli_steps *steps) {
    printf("\n%9s %5s %9s %8s %6s %5s %s\n", "ms", "%", "waiting", "GFLOP/s", "ratio", "steps",
           "step");
    for (int i = 0; i < steps->operation_count; i++) {
        const cli_operation *operation = &steps->operations[i];
        double ratio = operation->floor_ms > 0 ? operation->ms / operation->floor_ms : 0;
        print_times(operation->ms, operation->waiting_ms, operation->share,
                    operation->ms > 0 ? operation->gflop * 1e3 / operation->ms : 0, ratio);
        printf(" %5d %s\n", operation->steps, operation->name);
    }
    putchar('\n');
}
