/* net.h - what one architecture is to the registry (nets.c): a name, a table of options, a builder.
 * Internal to nets/. */
#ifndef DP_NETS_NET_H
#define DP_NETS_NET_H

#include "nets/nets.h"

enum { DP_NET_OPTIONS = 12 };

/* One option: a word out of `choices` ("lrn|bn|none"), the first of which is the default, or, where
 * choices is NULL, a number in minimum..maximum. */
typedef struct dp_net_option {
    const char *name, *choices;
    float minimum, maximum, standard; /* standard: a number's default */
} dp_net_option;

/* The values of a net's options, by position in its table. */
typedef struct dp_net_values {
    int choice[DP_NET_OPTIONS];
    float number[DP_NET_OPTIONS];
    bool set[DP_NET_OPTIONS]; /* by the spec, not by default */
} dp_net_values;

typedef struct dp_net {
    const char *name, *description;
    const char *remedy; /* which pictures will do where they were too small: "larger ones and
                           stem=small do" */
    dp_net_option options[DP_NET_OPTIONS]; /* ends at the first without a name */
    void (*build)(dp_graph *graph, const dp_net_values *values,
                  dp_net_size size); /* failures stay in the graph */
} dp_net;

extern const dp_net dp_net_googlenet, dp_net_lenet5, dp_net_alexnet, dp_net_nin, dp_net_vgg16;

#endif
