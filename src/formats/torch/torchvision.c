/* torchvision.c - their names to ours, as tables: a row of `layouts` is a network, a row of its
 * names a layer. A pattern's stars stand for the same texts on both sides, in order. */
#include "formats/torch/torchvision.h"

#include "model/published.h"

#include <stdio.h>
#include <string.h>

typedef struct pattern {
    const char *theirs, *ours;
} pattern;

/* Their BasicConv2d: a convolution without bias, batch norm (epsilon 1e-3, as ours), ReLU. */
#define CONV_BN(theirs, ours)                                                                      \
    { theirs ".conv.*", ours ".*" }, {                                                             \
        theirs ".bn.*", ours "/bn.*"                                                               \
    }
#define LAYER(theirs, ours)                                                                        \
    { theirs ".*", ours ".*" }

static const pattern googlenet[] = {
    CONV_BN("conv1", "conv1/7x7_s2"),
    CONV_BN("conv2", "conv2/3x3_reduce"),
    CONV_BN("conv3", "conv2/3x3"),
    CONV_BN("inception*.branch1", "inception_*/1x1"),
    CONV_BN("inception*.branch2.0", "inception_*/3x3_reduce"),
    CONV_BN("inception*.branch2.1", "inception_*/3x3"),
    CONV_BN("inception*.branch3.0", "inception_*/5x5_reduce"),
    CONV_BN("inception*.branch3.1", "inception_*/3x3_b"),
    CONV_BN("inception*.branch4.1", "inception_*/pool_proj"),
    CONV_BN("aux*.conv", "loss*/conv"),
    LAYER("aux*.fc1", "loss*/fc"),
    LAYER("aux*.fc2", "loss*/classifier"),
    LAYER("fc", "loss3/classifier"),
};

static const pattern vgg16[] = {
    LAYER("features.0", "conv1_1"),  LAYER("features.2", "conv1_2"),
    LAYER("features.5", "conv2_1"),  LAYER("features.7", "conv2_2"),
    LAYER("features.10", "conv3_1"), LAYER("features.12", "conv3_2"),
    LAYER("features.14", "conv3_3"), LAYER("features.17", "conv4_1"),
    LAYER("features.19", "conv4_2"), LAYER("features.21", "conv4_3"),
    LAYER("features.24", "conv5_1"), LAYER("features.26", "conv5_2"),
    LAYER("features.28", "conv5_3"), LAYER("classifier.0", "fc6"),
    LAYER("classifier.3", "fc7"),    LAYER("classifier.6", "fc8"),
    LAYER("pre_logits.fc1", "fc6"), /* timm's */
    LAYER("pre_logits.fc2", "fc7"),  LAYER("head.fc", "fc8"),
};

static const pattern alexnet[] = {
    LAYER("features.0", "conv1"), LAYER("features.3", "conv2"),  LAYER("features.6", "conv3"),
    LAYER("features.8", "conv4"), LAYER("features.10", "conv5"), LAYER("classifier.1", "fc6"),
    LAYER("classifier.4", "fc7"), LAYER("classifier.6", "fc8"),
};

/* mark: a tensor that no row before it has. */
typedef struct layout {
    dp_published network;
    const char *mark;
    const pattern *patterns;
    size_t count;
} layout;

#define PATTERNS(table) table, sizeof table / sizeof *(table)
#define GOOGLENET "googlenet:norm=bn,branch5=3x3,pool4=2x2,aux_pool=adaptive,dropout=0.2"

/* The preprocessing is set for ImageNet's classes, whose weights are taken for the published ones;
 * others do not say what was done to their pictures. */
static const layout layouts[] = {
    { { "torchvision's googlenet", GOOGLENET, GOOGLENET ",aux=1", "loss3/classifier.weight", 224,
        "torchvision_googlenet", false },
      "inception5b.branch4.1.conv.weight",
      PATTERNS(googlenet) },
    { { "torchvision's vgg16", "vgg16", NULL, "fc8.weight", 224, "torchvision", false },
      "features.28.weight",
      PATTERNS(vgg16) },
    { { "torchvision's alexnet", "alexnet:form=single,norm=none", NULL, "fc8.weight", 224,
        "torchvision", false },
      "features.10.weight",
      PATTERNS(alexnet) },
};

enum { NAME_SIZE = 160 };

/* ---------------------------------------------------------------------------------------- names */

/* The network's tensors under our names. */
typedef struct renamed {
    dp_tensor *tensors;
    size_t count;
    char (*names)[NAME_SIZE];
} renamed;

/* What wrappers put before every name: "module." (DataParallel), "_orig_mod." (compile), "model.":
 * all parts up to a dot that begin every name. Bytes to leave out. */
static size_t wrapped(const dp_contents *contents) {
    const char *first = contents->count ? contents->tensors[0].name : "";
    size_t common = strlen(first), prefix = 0;
    for (size_t i = 1; i < contents->count; i++)
        for (size_t k = 0; k < common; k++)
            if (contents->tensors[i].name[k] != first[k])
                common = k;
    for (size_t k = 0; k < common && contents->count > 1; k++)
        prefix = first[k] == '.' ? k + 1 : prefix;
    return prefix;
}

static bool ends_with(const char *text, const char *ending) {
    size_t length = strlen(text), tail = strlen(ending);
    return length >= tail && strcmp(text + length - tail, ending) == 0;
}

/* Writes `name` as the pattern has it; false if it is none of it, or too long. A star takes the
 * least that it can, the last one the rest. */
static bool rename_by(const pattern *by, const char *name, char *to) {
    const char *theirs = by->theirs, *ours = by->ours;
    size_t length = 0;
    for (; *theirs; theirs++) {
        if (*theirs != '*') {
            if (*name++ != *theirs)
                return false;
            continue;
        }
        size_t taken = theirs[1] ? strcspn(name, (char[]){ theirs[1], '\0' }) : strlen(name);
        size_t before = strcspn(ours, "*");
        if (length + before + taken >= NAME_SIZE)
            return false;
        memcpy(to + length, ours, before);
        memcpy(to + length + before, name, taken);
        length += before + taken;
        ours += before + 1;
        name += taken;
    }
    to[length] = '\0'; /* every pattern ends in a star on both sides */
    return *name == '\0';
}

/* Tensors that no row knows keep their names, and filling will say so. How often a batch norm was
 * updated is no weight. */
static deeper_status rename_all(renamed *to, const layout *by, const dp_contents *contents,
                                size_t prefix, const deeper_allocator *allocator,
                                deeper_error *error) {
    to->tensors = dp_alloc(allocator, contents->count, sizeof *to->tensors);
    to->names = dp_alloc(allocator, contents->count, sizeof *to->names);
    if (!to->tensors || !to->names)
        return dp_fail_memory(error, "the tensor list of a model");
    for (size_t i = 0; i < contents->count; i++) {
        const char *name = contents->tensors[i].name + prefix;
        if (ends_with(name, ".num_batches_tracked"))
            continue;
        dp_tensor *tensor = &to->tensors[to->count];
        char *ours = to->names[to->count++];
        *tensor = contents->tensors[i];
        tensor->name = name;
        for (size_t k = 0; k < by->count && tensor->name == name; k++)
            if (rename_by(&by->patterns[k], name, ours))
                tensor->name = ours;
    }
    return DEEPER_OK;
}

static const layout *recognise(const dp_contents *contents, size_t prefix, const char *name,
                               deeper_error *error) {
    char known[160] = "", shape[DP_TENSOR_SHAPE_TEXT] = "";
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        if (dp_published_find(contents->tensors, contents->count, prefix, layouts[i].mark))
            return &layouts[i];
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "",
                 layouts[i].network.title);
    }
    if (contents->count)
        dp_tensor_shape_text(&contents->tensors[0], shape);
    dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
            "%s: no model: %zu tensors, the first %.80s %.60s, but no deeper.version says of which "
            "network, and they are not named "
            "as those of %s",
            name, contents->count, contents->count ? contents->tensors[0].name : "none", shape,
            known);
    return NULL;
}

deeper_status dp_torchvision_open(dp_model **model, const dp_contents *contents, bool in_place,
                                  const char *name, const deeper_allocator *allocator,
                                  deeper_error *error) {
    renamed file = { 0 };
    size_t prefix = wrapped(contents);
    *model = NULL;
    const layout *by = recognise(contents, prefix, name, error);
    if (!by)
        return DEEPER_ERROR_UNSUPPORTED;
    deeper_status status = rename_all(&file, by, contents, prefix, allocator, error);
    if (status == DEEPER_OK)
        status = dp_published_open(model, &by->network, "", file.tensors, file.count, in_place,
                                   name, allocator, error);
    dp_free(allocator, file.tensors);
    dp_free(allocator, file.names);
    if (status != DEEPER_OK) {
        dp_model_free(*model);
        *model = NULL;
    }
    return status;
}
