/* main.c - test_kernels: every kernel on every instruction set of this machine. The families are
 * the other files of this folder, what they share is helpers/kernel_harness.h. */
#include "kernels/families.h"

int main(int count, char **arguments) {
    const kernel_family *const families[] = {
        &kernel_panel,     &kernel_winograd, &kernel_pool,     &kernel_depthwise,
        &kernel_pointwise, &kernel_outer,    &kernel_gradient, &kernel_update,
    };
    return kernel_main(count, arguments, families, sizeof families / sizeof *families);
}
