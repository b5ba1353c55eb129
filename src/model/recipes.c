/* recipes.c - see recipes.h. A row holds the numbers as they were published, in the network's
 * channel order; means of torchvision are given there as shares of 255. */
#include "model/recipes.h"

#include "base/arithmetic.h"
#include "model/preprocess_json.h"

#include <stdio.h>
#include <string.h>

/* 255 times torchvision's means, 1 / (255 times its deviations). */
#define IMAGENET_MEAN                                                                              \
    { 255 * 0.485F, 255 * 0.456F, 255 * 0.406F }
#define IMAGENET_SCALE                                                                             \
    { 1 / (255 * 0.229F), 1 / (255 * 0.224F), 1 / (255 * 0.225F) }
#define SAME(x)                                                                                    \
    { (x), (x), (x) }

static const dp_recipe recipes[] = {
    { "bvlc",
      "caffe",
      "Caffe's model zoo (bvlc_googlenet, bvlc_alexnet; classify.py with ilsvrc_2012_mean): BGR "
      "less 104 117 123",
      true,
      { 104, 117, 123 },
      SAME(1),
      DP_RESIZE_SQUASH,
      256,
      DP_FILTER_BILINEAR,
      false },
    { "vgg",
      NULL,
      "Simonyan and Zisserman's VGG caffemodels (their release's notes): BGR less 103.939 116.779 "
      "123.68, short side 256",
      true,
      { 103.939F, 116.779F, 123.68F },
      SAME(1),
      DP_RESIZE_SHORT,
      256,
      DP_FILTER_BILINEAR,
      false },
    { "torchvision", "imagenet",
      "torchvision's and timm's ImageNet weights (transforms.Normalize): RGB / 255, its mean and "
      "deviation",
      false, IMAGENET_MEAN, IMAGENET_SCALE, DP_RESIZE_SHORT, 256, DP_FILTER_BILINEAR, false },
    { "torchvision_googlenet", NULL,
      "torchvision's googlenet and inception_v3, whose transform_input makes Inception's numbers",
      false, SAME(127.5F), SAME(1 / 127.5F), DP_RESIZE_SHORT, 256, DP_FILTER_BILINEAR, false },
    { "inception", NULL,
      "TensorFlow-Slim's inception_preprocessing: (x / 255 - 0.5) * 2, the central 7/8 with its "
      "aspect ignored",
      false, SAME(127.5F), SAME(1 / 127.5F), DP_RESIZE_SQUASH, 256, DP_FILTER_BILINEAR, true },
    { "deeper",
      NULL,
      "what deeper trains with from scratch: RGB less 123.68 116.779 103.939, divided by 58, short "
      "side 256",
      false,
      { 123.68F, 116.779F, 103.939F },
      SAME(1 / 58.0F),
      DP_RESIZE_SHORT,
      256,
      DP_FILTER_BILINEAR,
      true },
    { "unit", NULL, "RGB / 255 (torchvision's ToTensor alone), short side to the network's size",
      false, SAME(0), SAME(1 / 255.0F), DP_RESIZE_SHORT, 224, DP_FILTER_BILINEAR, true },
    { "plain", "none", "RGB levels 0 to 255 as they are, short side to the network's size", false,
      SAME(0), SAME(1), DP_RESIZE_SHORT, 224, DP_FILTER_BILINEAR, true },
};

enum { RECIPES = sizeof recipes / sizeof *recipes };

const dp_recipe *dp_recipe_at(size_t index) {
    return index < RECIPES ? &recipes[index] : NULL;
}

const dp_recipe *dp_recipe_find(const char *name) {
    for (size_t i = 0; i < RECIPES; i++)
        if (strcmp(recipes[i].name, name) == 0
            || (recipes[i].alias && strcmp(recipes[i].alias, name) == 0))
            return &recipes[i];
    return NULL;
}

void dp_recipe_apply(dp_preprocess *preprocess, const dp_recipe *recipe, int size, int channels) {
    *preprocess = (dp_preprocess){
        .size = size,
        .channels = channels,
        .bgr = channels == 3 && recipe->bgr,
        .rule = recipe->rule,
        .side = (int)dp_ceil_div64((int64_t)recipe->side * size, DP_RECIPE_SIZE),
        .filter = recipe->filter,
    };
    for (int c = 0; c < channels; c++) {
        preprocess->mean[c] = recipe->mean[c];
        preprocess->scale[c] = recipe->scale[c];
    }
}

const char *dp_recipe_names(char text[DP_RECIPE_NAMES_SIZE]) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < RECIPES && used < DP_RECIPE_NAMES_SIZE; i++)
        used += (size_t)snprintf(text + used, DP_RECIPE_NAMES_SIZE - used, "%s%s", i ? ", " : "",
                                 recipes[i].name);
    return text;
}

static deeper_status read_json(dp_preprocess *preprocess, const char *text, const char *name,
                               deeper_error *error) {
    deeper_error why = { 0 };
    bool whole = false;
    deeper_status status =
        dp_preprocess_from_json(preprocess, &whole, text, name, "preprocess", &why);
    if (status == DEEPER_OK && !whole)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: preprocess: has size and channels alone; it needs order, mean, scale, "
                       "resize and crop",
                       name);
    return status == DEEPER_OK
               ? status
               : dp_fail(error, status == DEEPER_ERROR_FORMAT ? DEEPER_ERROR_ARGUMENT : status,
                         "%s", why.message);
}

deeper_status dp_recipe_read(dp_preprocess *preprocess, const char *text, dp_shape input,
                             const char *name, deeper_error *error) {
    dp_preprocess read;
    if (input.h != input.w || (input.c != 1 && input.c != 3))
        return dp_fail(
            error, DEEPER_ERROR_ARGUMENT,
            "%s: preprocess: its input is %dx%dx%d; pictures are made for squares of 1 or 3 "
            "channels",
            name, input.c, input.h, input.w);
    if (text[0] == '{') {
        DP_TRY(read_json(&read, text, name, error));
    } else {
        const dp_recipe *recipe = dp_recipe_find(text);
        char names[DP_RECIPE_NAMES_SIZE];
        if (!recipe)
            return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                           "%s: preprocess: '%.40s' is none of %s, nor JSON", name, text,
                           dp_recipe_names(names));
        if (input.c == 1 && !recipe->grey)
            return dp_fail(
                error, DEEPER_ERROR_ARGUMENT,
                "%s: preprocess: '%s' is for pictures in colour; the network takes 1 channel", name,
                recipe->name);
        dp_recipe_apply(&read, recipe, input.h, input.c);
    }
    if (read.size != input.h || read.channels != input.c)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: preprocess: gives %dx%dx%d; the network takes %dx%dx%d", name,
                       read.channels, read.size, read.size, input.c, input.h, input.w);
    *preprocess = read;
    return DEEPER_OK;
}

/* side: of the recipe itself, which also stands for it whatever the crop is. */
static bool same_rule(const dp_preprocess *a, const dp_preprocess *b, int side) {
    for (int c = 0; c < a->channels; c++)
        if (a->mean[c] != b->mean[c] || a->scale[c] != b->scale[c])
            return false;
    return a->bgr == b->bgr && a->rule == b->rule && (a->side == b->side || a->side == side)
           && a->filter == b->filter;
}

const dp_recipe *dp_recipe_of(const dp_preprocess *preprocess) {
    for (size_t i = 0; i < RECIPES; i++) {
        dp_preprocess wanted;
        if (preprocess->channels == 1 && !recipes[i].grey)
            continue;
        dp_recipe_apply(&wanted, &recipes[i], preprocess->size, preprocess->channels);
        if (same_rule(preprocess, &wanted, recipes[i].side))
            return &recipes[i];
    }
    return NULL;
}
