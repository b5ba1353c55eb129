/* recipes.h - published preprocessing by name: what the makers of well-known weights did to a
 * picture, each with its source. Why here: importers set the rule of weights that they recognise,
 * training has one of its own, and users name one for weights that do not say it; all of them mean
 * a row of this one table. Nothing here guesses: a model without a rule stays without. */
#ifndef DP_MODEL_RECIPES_H
#define DP_MODEL_RECIPES_H

#include "model/model.h"

typedef struct dp_recipe {
    const char *name, *alias; /* alias NULL: none */
    const char *about;        /* one line: whose it is and where it is published */
    bool bgr;
    float mean[3], scale[3]; /* as in dp_preprocess */
    dp_resize_rule rule;
    int side; /* of the resized picture where the crop is DP_RECIPE_SIZE; other sizes in proportion,
                 rounded up */
    dp_filter filter;
    bool grey; /* holds for networks of one channel too: with the first mean and scale */
} dp_recipe;

enum { DP_RECIPE_SIZE = 224 };

/* By index, NULL past the last; by name or alias, NULL if there is none. */
const dp_recipe *dp_recipe_at(size_t index);
const dp_recipe *dp_recipe_find(const char *name);

/* *preprocess = a recipe for a network that takes pictures of size x size and `channels` (for 1 the
 * recipe must be `grey`). */
void dp_recipe_apply(dp_preprocess *preprocess, const dp_recipe *recipe, int size, int channels);

/* *preprocess = what `text` says for pictures of input.c x input.h x input.w: the name of a recipe,
 * or a JSON object as metadata.h has it. `name` stands for the network in messages. Errors:
 * ARGUMENT (no such name, a field that is bad, another size or number of channels than the
 * input's), LIMIT, MEMORY. */
deeper_status dp_recipe_read(dp_preprocess *preprocess, const char *text, dp_shape input,
                             const char *name, deeper_error *error);

/* The recipe that a rule is, NULL if it is none of them. */
const dp_recipe *dp_recipe_of(const dp_preprocess *preprocess);

/* All names: "bvlc, vgg, ..." */
enum { DP_RECIPE_NAMES_SIZE = 160 };
const char *dp_recipe_names(char text[DP_RECIPE_NAMES_SIZE]);

#endif
