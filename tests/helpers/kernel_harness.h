/* kernel_harness.h - what the families of tests/kernels share: the loop over instruction sets,
 * operands against guard pages, comparison with an oracle, and timing of the very case that was
 * checked.
 *
 * A family is a list of checks. A check runs once for every instruction set of this machine and
 * either side of the guard pages, goes through its cases, and for each of them says what it is
 * (kernel_case), opens operands, calls the kernel and compares with an oracle in double precision.
 * A case worth timing ends with kernel_time, which does nothing without --bench. Operands live
 * until the next kernel_case, so nothing is closed by hand. */
#ifndef TEST_KERNEL_HARNESS_H
#define TEST_KERNEL_HARNESS_H

#include "kernels/gradient.h"
#include "reference/reference.h"

/* Where the operands' own ends lie: their first float straight after a page that can be neither
 * read nor written, or their last straight before one. The other end has such a page too, less than
 * a page away, and what lies between may not be written. */
typedef enum kernel_side { KERNEL_GUARD_BEFORE, KERNEL_GUARD_AFTER, KERNEL_SIDES } kernel_side;

enum { KERNEL_LABEL_SIZE = 160, KERNEL_LANES_MAX = 16 };

typedef struct kernel_memory kernel_memory;
typedef struct kernel_timings kernel_timings;

/* What a check works on: one instruction set, one side of the guard pages. */
typedef struct kernel_test {
    const dp_kernels *kernels;
    const dp_gradient_kernels *gradient;
    int lanes;
    kernel_side side;
    const char *family;
    char label[KERNEL_LABEL_SIZE]; /* of the running case */
    kernel_memory *memory;
    kernel_timings *timings; /* NULL without --bench */
} kernel_test;

typedef struct kernel_check {
    const char *name;
    void (*run)(kernel_test *t);
} kernel_check;

typedef struct kernel_family {
    const char *name;
    const kernel_check *checks;
    int count;
} kernel_family;

/* A row of kernel_family.checks, by the function's own name. */
#define KERNEL_CHECK(function)                                                                     \
    { #function, function }

/* The program: options as --help lists them; returns its exit status. */
int kernel_main(int count, char **arguments, const kernel_family *const *families,
                int family_count);

/* u: half the distance between 1 and the next float; the same of double. */
static const double kernel_roundoff = 0x1p-24, kernel_double_roundoff = 0x1p-53;

/* Begins a case and names it for messages and timings; the operands of the case before are gone. */
void kernel_case(kernel_test *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Operands against the guard pages: each float a quiet NaN, which spoils any result it gets into;
 * or uniform in low..high, another stream for every such operand of a case; or a copy. GUARD_AFTER
 * aligns as far as the count does: a multiple of 16 floats gives 64 bytes. */
float *kernel_floats(kernel_test *t, size_t count);
float *kernel_random(kernel_test *t, size_t count, double low, double high);
float *kernel_copy(kernel_test *t, const float *values, size_t count);

/* Zeros for the oracle's side, without guard pages. */
void *kernel_zeroed(kernel_test *t, size_t count, size_t size);
double *kernel_doubles(kernel_test *t, size_t count);

/* Floats as doubles; the absolute values of doubles, which the error of a sum grows with. */
double *kernel_widened(kernel_test *t, const float *values, size_t count);
double *kernel_absolute(kernel_test *t, const double *values, size_t count);

/* x * y + sum as this instruction set rounds it: portable product and sum, the others once. */
float kernel_multiply_add(const kernel_test *t, float x, float y, float sum);

/* Equal, or both NaN. */
bool kernel_same(float a, float b);

/* Fails unless |got - want| <= tolerance * magnitude for each of the values; magnitude NULL:
 * |want|. */
void kernel_agree(const kernel_test *t, const double *got, const double *want,
                  const double *magnitude, size_t count, double tolerance);

/* Fails the case in words of its own. */
void kernel_fail(const kernel_test *t, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* Images in blocks of `lanes` channels (1: planar), guarded. Distances in floats. */
typedef struct kernel_image {
    dp_reference_dims dims;
    int lanes, blocks, row_gap;
    ptrdiff_t row_stride, block_stride, image_stride;
    float *data; /* pixel (0, 0) of the first block of the first image */
} kernel_image;

/* NaNs, with row_gap pixels between rows and block_gap between blocks (but none after the last). */
kernel_image kernel_image_spaced(kernel_test *t, dp_reference_dims dims, int lanes, int row_gap,
                                 int block_gap);

/* Zeros, with the padding of the window around every block. */
kernel_image kernel_image_padded(kernel_test *t, dp_reference_dims dims, int lanes,
                                 dp_reference_window window);

float *kernel_image_at(const kernel_image *image, int n, int c, int y, int x);

/* Canonical values into the image, lanes past the channels zero. */
void kernel_image_put(const kernel_image *image, const double *values);

/* The image in canonical order. Fails unless lanes past the channels are zero and what lies between
 * rows is still NaN. */
double *kernel_image_get(kernel_test *t, const kernel_image *image);

/* Output rows (or columns) of a window, rounded down. */
int kernel_output_size(int size, int window, int stride, int padding);

/* What a call does: floating-point operations of products, or floats of results. */
typedef enum kernel_unit { KERNEL_FLOPS, KERNEL_FLOATS } kernel_unit;

/* With --bench: how long call(operands) takes, warm: the shortest of many runs. Printed with `what`
 * (or "") and the case's name as ns a call, `work` in 10^9 a second, and that against the portable
 * kernel of the same case (whose vectors, and so calls, may be smaller). Comes last in a case, for
 * it calls the kernel again and again. */
void kernel_time(kernel_test *t, const char *what, void (*call)(const void *operands),
                 const void *operands, double work, kernel_unit unit);

/* Between the files of the harness. */
kernel_memory *kernel_memory_create(void);
bool kernel_memory_release(kernel_memory *memory); /* false: a call wrote beside an operand */
void kernel_memory_free(kernel_memory *memory);
kernel_timings *kernel_timings_create(void);
void kernel_timings_print(const kernel_timings *timings);
void kernel_timings_free(kernel_timings *timings);

#endif
