/* health.h - the watch over a run: heads that stand still at guessing, layers whose units died,
 * gradients that explode. GoogLeNet with LRN is known for upper heads that never learn while the
 * lowest does; to be told in the first hundreds of steps saves days. It only looks and speaks; it
 * changes nothing, so that it need not be resumed. */
#ifndef DP_TRAIN_HEALTH_H
#define DP_TRAIN_HEALTH_H

#include "report/report.h"
#include "train/core/learner.h"
#include "train/core/pictures.h"

/* A layer with ReLUs, seen through the gradients of its biases: one that is exactly zero belongs to
 * a unit that no picture of the batch woke. */
typedef struct dp_health_layer {
    const char *name;    /* borrowed */
    size_t begin, count; /* its biases in the arena of gradients */
} dp_health_layer;

typedef struct dp_health_options {
    int heads;
    const char *head_names[DP_HEADS];
    double guess;  /* loss of one who only knows how frequent the classes are: the entropy of the
                      labels, ln(classes) at most */
    double warmup; /* steps in which the rate grows */
    const dp_health_layer *layers; /* copied */
    size_t layer_count;
} dp_health_options;

typedef struct dp_health dp_health;

/* Errors: MEMORY. */
deeper_status dp_health_create(dp_health **health, const dp_health_options *options,
                               const deeper_allocator *allocator, deeper_error *error);
void dp_health_free(dp_health *health);

/* Looks at one step: the heads' mean losses, the norm of the gradient, and the gradients
 * themselves. True: `message` says what is wrong and what to do. Each trouble is told once, one at
 * a time:
 *   - a head whose loss (a mean over some 50 steps) is not 2 % below `guess` after 200 steps, if
 *     another head is 10 % below it, or after 500 at most when the warm-up is over too;
 *   - a layer (the first) of which more than half the units had no gradient for 100 steps, and a
 *     network of which this is so;
 *   - a norm of more than 100 times its mean, after 20 steps. */
bool dp_health_look(dp_health *health, const double *losses, double norm, const float *gradients,
                    char message[DEEPER_MESSAGE_SIZE]);

/* Whether the run learns its training pictures by heart: for three epochs the main head's
 * validation loss has been above its least, by now by 5 %, while the training loss fell by as much.
 * message begins with `word`. */
bool dp_health_overfits(const dp_report_epoch *epochs, size_t count, const char *word,
                        char message[DEEPER_MESSAGE_SIZE]);

/* A head's loss of one who answers every picture of a set with the frequencies of the classes: the
 * entropy of the labels, weighted (class_weights may be NULL) and smoothed, over `outputs`. */
double dp_guessing_loss(const dp_picture_set *set, const float *class_weights, int outputs,
                        double smoothing);

/* The watch over what a learner learns: its heads, and the layers whose biases tell of dead units.
 * Errors: MEMORY. */
deeper_status dp_health_watch(dp_health **health, const dp_learner *learner, double guess,
                              double warmup, const deeper_allocator *allocator,
                              deeper_error *error);

#endif
