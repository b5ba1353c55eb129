/* bvlc_googlenet.h - the published GoogLeNet weights out of a caffemodel. The format says nothing of preprocessing or labels; those
 * of BVLC GoogLeNet are known and set. The weights of other networks are refused by the difference in names and shapes. */
#ifndef DP_FORMATS_BVLC_GOOGLENET_H
#define DP_FORMATS_BVLC_GOOGLENET_H

#include "formats/model.h"

/* The BVLC GoogLeNet of a file in memory as a model: with its auxiliary heads where the file has them whole, else without (the
 * model's source says which). The input's channels stay B, G, R. Nothing points into bytes. Errors: those of
 * dp_caffemodel_parse and of dp_model_fill. */
deeper_status dp_bvlc_googlenet_open(dp_model **model, const void *bytes, size_t size, const char *name,
                                     const deeper_allocator *allocator, deeper_error *error);

#endif
