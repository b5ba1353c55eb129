/* verify_against.h - deeper_verify: a model compared with a recording or another model, by path. */
#ifndef DP_EVAL_VERIFY_AGAINST_H
#define DP_EVAL_VERIFY_AGAINST_H

#include "model/model.h"
#include "plan/plan.h"

/* Contract: deeper_verify in deeper.h, of checked options; inputs may be NULL. */
deeper_status dp_verify_against(const dp_model *model, dp_packs *packs, const char *against,
                                const deeper_verify_options *options,
                                void (*difference)(void *context,
                                                   const deeper_difference *difference),
                                void *context, int *inputs, deeper_error *error);

#endif
