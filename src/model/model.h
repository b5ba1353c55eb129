/* model.h - a model in memory: a graph, the values of its parameters, and all that a model file
 * says about them. What the readers fill, the writers write, and sessions are made from. Immutable
 * once opened. */
#ifndef DP_MODEL_MODEL_H
#define DP_MODEL_MODEL_H

#include "base/files.h"
#include "graph/graph.h"
#include "image/preprocess.h"

typedef struct dp_label {
    const char *id, *name; /* "n02123159", "tiger cat" */
} dp_label;

typedef struct dp_labels {
    dp_label *items;
    size_t count;
    char *text; /* the block that holds all ids and names */
} dp_labels;

typedef struct dp_model {
    const deeper_allocator *allocator;
    dp_graph *graph;
    int input, prob; /* nodes: the picture, the class probabilities; -1: none */

    /* The values of parameter p are values[p], dp_shape_floats of its node, canonical order. They
     * lie in `arena` (flat, in parameter order) or, where a file holds all of them ready for use,
     * in `file`, its bytes, or in its `map`, aligned to a float. values is NULL while there are
     * none. */
    const float **values;
    float *arena;
    void *file;
    dp_map map;

    char *architecture; /* "googlenet" */
    char *options;      /* every option with its value:
                           "norm=lrn,stem=full,module=reduced,aux=0,branch5=5x5,width=1" */
    int classes;
    dp_labels labels; /* count 0: no table */
    bool has_preprocess;
    dp_preprocess preprocess;
    char *source;       /* where the weights came from, one line; NULL unknown */
    const char *format; /* "safetensors", "caffemodel", "none" */
    char *training;     /* JSON text: how `deeper train` made it; NULL none */
} dp_model;

/* A model of an architecture (nets/), without values. `spec` is "NAME" or
 * "NAME:OPTION=VALUE,...". */
deeper_status dp_model_create(dp_model **model, const char *spec, int classes, int image_size,
                              const deeper_allocator *allocator, deeper_error *error);

/* A model of a network that is none of nets/: architecture DP_MODEL_GRAPH, without options or
 * values. It has one INPUT and ends in "prob", a value a class (else MISMATCH). Takes the graph in
 * every case. */
#define DP_MODEL_GRAPH "graph"
deeper_status dp_model_from_graph(dp_model **model, dp_graph *graph, deeper_error *error);

/* The JSON text of what is known of the model's preprocessing (see metadata.h), malloc'ed; NULL if
 * memory is out. */
char *dp_model_preprocess_json(const dp_model *model);

void dp_model_free(dp_model *model);

/* Gives the model a flat arena for all parameters (uninitialised) and points values into it; *arena
 * as model->arena. */
deeper_status dp_model_allocate(dp_model *model, deeper_error *error);

/* A copy of a model with an arena, whose values lie in `arena` as the model's do in its own. All
 * but `values` is borrowed: dp_free that alone. Errors: MEMORY; copy->values is then NULL. */
deeper_status dp_model_at(dp_model *copy, const dp_model *model, const float *arena,
                          deeper_error *error);

/* Whether every value of every parameter is a finite number. Error: FORMAT, naming the first that
 * is not; `name` stands for the file. */
deeper_status dp_model_check_values(const dp_model *model, const char *name, deeper_error *error);

/* Node of parameter p. */
const dp_node *dp_model_parameter(const dp_model *model, int parameter);

/* Shape of one picture as the network takes it (n is 0). */
dp_shape dp_model_input(const dp_model *model);

/* What sessions, pictures and results rely on: one input, whose shape is the preprocessing's, and a
 * probability a class. name: of the file or architecture, for messages. Errors: MISMATCH. */
deeper_status dp_model_check(const dp_model *model, const char *name, deeper_error *error);

/* What its layers cost for one image, those of auxiliary heads only if asked. */
dp_cost dp_model_cost(const dp_model *model, bool with_heads);

/* The label of a class; "" where the model has none. */
dp_label dp_model_label(const dp_model *model, size_t index);

/* Whether the network has auxiliary heads. */
bool dp_model_has_heads(const dp_model *model);

/* Replaces the label table by a text file of "ID NAME" lines (one a class); the count must be the
 * model's. One label for classes "not p" and p of one probability p is p's, and the only class. */
deeper_status dp_model_read_labels(dp_model *model, const char *path, deeper_error *error);

/* Replaces the preprocessing by what `text` says, as dp_recipe_read reads it. name: of the file or
 * architecture, for messages. */
deeper_status dp_model_read_preprocess(dp_model *model, const char *text, const char *name,
                                       deeper_error *error);

#endif
