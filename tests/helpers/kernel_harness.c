/* kernel_harness.c - the program around the families of kernel tests (kernel_harness.h): options,
 * the loop over instruction sets and sides, comparison. Every check is a cmocka test for each
 * instruction set, so that a fault or a failure ends that one alone. */
#include "helpers/kernel_harness.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TESTS_MAX = 256, NAME_SIZE = 96 };

static const char help[] =
    "test_kernels [--list] [--only FAMILY] [--isa NAME] [--bench]\n"
    "Checks every kernel on every instruction set of this machine.\n"
    "  --list         families, their checks, and the instruction sets\n"
    "  --only FAMILY  one family\n"
    "  --isa NAME     one instruction set\n"
    "  --bench        then prints how long the calls of some cases take, warm, on one thread\n";

typedef struct run_options {
    const char *family, *isa;
    bool list, bench;
} run_options;

typedef struct planned_test {
    char name[NAME_SIZE];
    const kernel_family *family;
    const kernel_check *check;
    dp_isa isa;
    kernel_memory *memory;
    kernel_timings *timings;
} planned_test;

/* The operands of a case end with it. */
static void end_case(kernel_test *t) {
    if (!kernel_memory_release(t->memory))
        kernel_fail(t, "something was written beside an operand");
}

void kernel_case(kernel_test *t, const char *format, ...) {
    end_case(t);
    va_list list;
    va_start(list, format);
    vsnprintf(t->label, sizeof t->label, format, list);
    va_end(list);
}

void kernel_fail(const kernel_test *t, const char *format, ...) {
    char text[KERNEL_LABEL_SIZE];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    fail_msg("%s, guard page %s, %s: %s", dp_isa_name(t->kernels->isa),
             t->side == KERNEL_GUARD_BEFORE ? "before" : "after", t->label, text);
    abort(); /* fail_msg does not return */
}

void kernel_agree(const kernel_test *t, const double *got, const double *want,
                  const double *magnitude, size_t count, double tolerance) {
    for (size_t i = 0; i < count; i++)
        if (!(fabs(got[i] - want[i]) <= tolerance * fabs(magnitude ? magnitude[i] : want[i])))
            kernel_fail(t, "value %zu is %.9g, not %.9g", i, got[i], want[i]);
}

float kernel_multiply_add(const kernel_test *t, float x, float y, float sum) {
    return t->kernels->isa == DP_ISA_PORTABLE ? sum + x * y : fmaf(x, y, sum);
}

bool kernel_same(float a, float b) {
    return a == b || (isnan(a) && isnan(b));
}

static void run_check(void **state) {
    const planned_test *p = *state;
    kernel_test t = { .kernels = dp_kernels_for(p->isa),
                      .gradient = dp_gradient_kernels_for(p->isa),
                      .family = p->family->name,
                      .memory = p->memory,
                      .timings = p->timings };
    assert_non_null(t.kernels);
    assert_non_null(t.gradient);
    t.lanes = t.kernels->lanes;
    kernel_memory_release(p->memory); /* of a check that failed */
    for (int side = 0; side < KERNEL_SIDES; side++) {
        t.side = (kernel_side)side;
        p->check->run(&t);
        end_case(&t);
    }
}

static bool is_wanted(const char *wanted, const char *name) {
    return !wanted || strcmp(wanted, name) == 0;
}

/* The tests of the families and instruction sets asked for; their number. */
static int plan_tests(planned_test *planned, const run_options *options,
                      const kernel_family *const *families, int family_count) {
    int count = 0;
    for (int f = 0; f < family_count; f++)
        for (int isa = 0; isa < DP_ISA_COUNT; isa++)
            for (int c = 0; c < families[f]->count; c++)
                if (dp_isa_supported((dp_isa)isa) && is_wanted(options->family, families[f]->name)
                    && is_wanted(options->isa, dp_isa_name((dp_isa)isa)) && count < TESTS_MAX) {
                    planned_test *p = &planned[count++];
                    p->family = families[f];
                    p->check = &families[f]->checks[c];
                    p->isa = (dp_isa)isa;
                    snprintf(p->name, sizeof p->name, "%s, %s", p->check->name,
                             dp_isa_name(p->isa));
                }
    return count;
}

static int run_planned(planned_test *planned, int count, bool bench) {
    struct CMUnitTest tests[TESTS_MAX];
    kernel_memory *memory = kernel_memory_create();
    kernel_timings *timings = bench ? kernel_timings_create() : NULL;
    for (int i = 0; i < count; i++) {
        planned[i].memory = memory;
        planned[i].timings = timings;
        tests[i] = (struct CMUnitTest){ .name = planned[i].name,
                                        .test_func = run_check,
                                        .initial_state = &planned[i] };
    }
    const int failed = _cmocka_run_group_tests("kernels", tests, (size_t)count, NULL, NULL);
    if (timings)
        kernel_timings_print(timings);
    kernel_timings_free(timings);
    kernel_memory_free(memory);
    return failed;
}

static void list_families(const planned_test *planned, int count) {
    for (int i = 0; i < count; i++)
        printf("%s: %s\n", planned[i].family->name, planned[i].name);
}

static bool read_options(run_options *options, int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        const char *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (strcmp(arguments[i], "--list") == 0)
            options->list = true;
        else if (strcmp(arguments[i], "--bench") == 0)
            options->bench = true;
        else if (strcmp(arguments[i], "--only") == 0 && value)
            options->family = arguments[++i];
        else if (strcmp(arguments[i], "--isa") == 0 && value)
            options->isa = arguments[++i];
        else
            return false;
    }
    return true;
}

int kernel_main(int count, char **arguments, const kernel_family *const *families,
                int family_count) {
    static planned_test planned[TESTS_MAX];
    run_options options = { 0 };
    if (!read_options(&options, count, arguments)) {
        fputs(help, stderr);
        return 2;
    }
    const int tests = plan_tests(planned, &options, families, family_count);
    if (tests == 0) {
        fprintf(stderr, "no such family, or this machine does not run that instruction set: "
                        "see --list\n");
        return 2;
    }
    if (options.list) {
        list_families(planned, tests);
        return 0;
    }
    return run_planned(planned, tests, options.bench);
}
