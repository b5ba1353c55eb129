/* families.h - the families of kernel tests, one a file of this folder, which is named after it. */
#ifndef TEST_KERNEL_FAMILIES_H
#define TEST_KERNEL_FAMILIES_H

#include "helpers/kernel_harness.h"

extern const kernel_family kernel_panel, kernel_winograd, kernel_pool, kernel_depthwise,
    kernel_pointwise, kernel_outer, kernel_gradient, kernel_update;

#endif
