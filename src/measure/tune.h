/* tune.h - measures on this machine which way to compute each convolution of a network is the
 * fastest. */
#ifndef DP_MEASURE_TUNE_H
#define DP_MEASURE_TUNE_H

#include "session/session.h"

/* What is measured: with the threads asked for, and with one, for a choice counts for any number of
 * them. */
enum { DP_TUNED_WAYS = 2 };

/* One kind of convolution in the network. Times are of one run with all threads, of all steps of
 * the kind together, medians of the rounds in which the choices were last compared. */
typedef struct dp_tuned_layer {
    const char *name; /* of the first; lives with the model */
    int layers;       /* of this kind */
    dp_tuning_key key;
    dp_tuning_choice model, best; /* of the planner's model, and measured */
    double model_seconds, best_seconds;
} dp_tuned_layer;

typedef struct dp_tuned_network {
    const deeper_allocator *allocator;
    dp_tuned_layer *layers;
    int layer_count, changed; /* changed: kinds whose best is not the model's */
    bool slower;              /* the changes made whole runs no faster and were taken back */
    int threads, ways;        /* ways: 1 where threads is */
    double model_seconds[DP_TUNED_WAYS],
        best_seconds[DP_TUNED_WAYS]; /* of a whole run, medians of runs in turns */
    dp_isa isa;
} dp_tuned_network;

typedef struct dp_tune_options {
    int max_batch, threads; /* as in a session */
    const float *input;     /* a batch */
    const int *outputs;
    int output_count;
    void (*progress)(void *context, uint64_t done, uint64_t total); /* measurements; may be NULL */
    deeper_control (*control)(void *context); /* asked after each measurement; may be NULL */
    void *context;
} dp_tune_options;

/* How: the steps are timed within whole runs of the network, so that weights come from where they
 * come from in use. Every plan tries some choice for each kind of convolution; the plans alternate,
 * in another combination every round. First all choices in a few rounds, then the model's and the
 * best others in many. A choice wins whose times are below 0.97 of the model's of the same round,
 * in the median, and that is the faster one in three rounds of four; of one thread and all threads
 * the geometric mean counts. Last, whole runs with the model's and with all winners alternate.
 * *network is to be given to dp_tuned_network_free, after a failure too. Errors: those of
 * dp_session_create; STOPPED. */
deeper_status dp_tune(dp_tuned_network *network, const dp_model *model,
                      const dp_tune_options *options, deeper_error *error);
void dp_tuned_network_free(dp_tuned_network *network);

#endif
