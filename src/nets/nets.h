/* nets.h - the architectures by name. A network is built from a spec
 * ("googlenet:norm=bn,width=0.5"), the number of classes and the side of its square input; every
 * option of it stands in the canonical option text that the model file keeps. */
#ifndef DP_NETS_NETS_H
#define DP_NETS_NETS_H

#include "graph/graph.h"

typedef struct dp_net_size {
    int classes, image_size;
} dp_net_size;

/* Builds `spec` into an empty graph. architecture and options (allocated with the graph's
 * allocator, the caller frees) receive the name and the full option text of what was built: with
 * defaults filled in, and aux=0 where no module bears an auxiliary head.
 * The image is the node "data", the logits "loss3/classifier" in googlenet; every network ends in
 * the softmax "prob". Errors name the unknown architecture, option or value and list what there
 * is. */
deeper_status dp_net_build(dp_graph *graph, const char *spec, dp_net_size size, char **architecture,
                           char **options, deeper_error *error);

/* text[size]: `spec`, with OPTION=VALUE added where the architecture has that option and the spec
 * does not set it. Errors: those of specs, LIMIT (too long). */
deeper_status dp_net_spec_with(char *text, size_t size, const char *spec, const char *option,
                               const char *value, deeper_error *error);

/* Contract: deeper_architecture_option in deeper.h, nothing NULL. */
const char *dp_net_option_at(size_t net, size_t index, const char **choices, double range[2]);

/* Name and one-line description of architecture `index`; NULL past the last. */
const char *dp_net_name(size_t index, const char **description);

#endif
