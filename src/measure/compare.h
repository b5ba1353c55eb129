/* compare.h - networks side by side, and the members of a comparison: texts and presets made into
 * what can be built. */
#ifndef DP_MEASURE_COMPARE_H
#define DP_MEASURE_COMPARE_H

#include "base/memory.h"

enum { DP_MEMBERS = 64, DP_MEMBER_TEXT = 512 };

/* "googlenet:module=naive@64/10", taken apart. */
typedef struct dp_member {
    char text[DP_MEMBER_TEXT]; /* as it is shown */
    char spec[DP_MEMBER_TEXT]; /* "googlenet:module=naive" */
    int image_size, crops;
} dp_member;

/* The members that the options name, by themselves or by a preset, up to DP_MEMBERS; *count
 * receives how many. Errors: ARGUMENT (none, or both; no such preset; a text that is no member),
 * LIMIT. Nothing is built. */
deeper_status dp_compare_members(dp_member members[DP_MEMBERS], size_t *count,
                                 const deeper_compare_options *options, deeper_error *error);

/* The presets: name, and one line on what each compares; NULL past the last. */
const char *dp_compare_preset(size_t index, const char **description);

/* Contract: deeper_compare in deeper.h, of checked options (those of training too). */
deeper_status dp_compare(const deeper_compare_options *options, const deeper_compare_calls *calls,
                         size_t *failed, deeper_error *error);

#endif
