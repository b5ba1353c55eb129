/* test_torchvision.c - torchvision's networks from their state dicts: its googlenet against what it
 * computed (tests/vectors/torchvision_googlenet.py) at inference and in training, what may stand
 * around the weights, its other networks by their names. PyTorch's containers are test_torch.c's.
 */
#include "formats/formats.h"
#include "formats/torch/torchvision.h"
#include "graph/training.h"
#include "helpers/formula.h"
#include "helpers/pickles.h"
#include "helpers/plan_harness.h"
#include "model/model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

enum { CLASSES = 20, BATCH = 2, SIDE = 224, MAX_TENSORS = 400 };

/* The recorded file: names and shapes of the state dict, and logits. */
typedef struct vectors {
    test_torch_tensor tensors[MAX_TENSORS];
    char names[MAX_TENSORS][80];
    size_t count;
    float logits[4][BATCH][CLASSES]; /* eval, main, aux1, aux2 */
} vectors;

enum { EVAL, MAIN, AUX1, AUX2 };

/* As value() of the script has it. */
static float formula(const test_torch_tensor *tensor, size_t seed, size_t index) {
    double x = test_noise((uint32_t)seed, index);
    const char *kind = strrchr(tensor->name, '.') + 1;
    if (tensor->rank > 1)
        return (float)(x * sqrt(6.0 / (double)(tensor->elements / tensor->shape[0])));
    return (float)(strcmp(kind, "weight") == 0         ? 1 + 0.2 * x
                   : strcmp(kind, "bias") == 0         ? 0.2 * x
                   : strcmp(kind, "running_mean") == 0 ? 0.1 * x
                                                       : 1 + 0.5 * x);
}

static void fill_tensor(test_torch_tensor *tensor, size_t seed) {
    bool counter = strstr(tensor->name, "num_batches_tracked");
    tensor->type = counter ? "LongStorage" : "FloatStorage";
    tensor->elements = 1;
    for (int i = 0; i < tensor->rank; i++)
        tensor->elements *= tensor->shape[i];
    tensor->bytes = tensor->elements * (counter ? 8 : 4);
    float *values = calloc(tensor->bytes, 1);
    assert_non_null(values);
    for (size_t i = 0; i < tensor->elements && !counter; i++)
        values[i] = formula(tensor, seed, i);
    tensor->storage = values;
}

static vectors *read_vectors(void) {
    static const char *const kinds[] = {
        [EVAL] = "eval", [MAIN] = "main", [AUX1] = "aux1", [AUX2] = "aux2"
    };
    vectors *v = calloc(1, sizeof *v);
    FILE *file = fopen(TEST_SOURCE_DIR "/tests/vectors/torchvision_googlenet.txt", "r");
    char line[1024];
    int logits = 0;
    assert_true(v && file);
    while (fgets(line, sizeof line, file)) {
        char *next, *word = strtok_r(line, " \n", &next);
        if (strcmp(word, "tensor") == 0) {
            test_torch_tensor *tensor = &v->tensors[v->count];
            assert_true(v->count < MAX_TENSORS);
            snprintf(v->names[v->count], sizeof v->names[0], "%s", strtok_r(NULL, " \n", &next));
            tensor->name = v->names[v->count];
            while ((word = strtok_r(NULL, " \n", &next)) != NULL)
                tensor->shape[tensor->rank++] = strtoul(word, NULL, 10);
            fill_tensor(tensor, v->count++);
            continue;
        }
        int kind = EVAL;
        while (strcmp(word, kinds[kind]) != 0)
            assert_true(++kind <= AUX2);
        float *to = v->logits[kind][strtoul(strtok_r(NULL, " \n", &next), NULL, 10) % BATCH];
        for (int i = 0; i < CLASSES; i++, logits++)
            to[i] = strtof(strtok_r(NULL, " \n", &next), NULL);
    }
    fclose(file);
    assert_int_equal(logits, 4 * BATCH * CLASSES);
    return v;
}

static void free_vectors(vectors *v) {
    for (size_t i = 0; i < v->count; i++)
        free((void *)(uintptr_t)v->tensors[i].storage);
    free(v);
}

/* The state dict as a model, through the older form, which any build reads. */
static dp_model *open_vectors(const vectors *v, test_bytes *bytes) {
    dp_model *model = NULL;
    deeper_error error = { 0 };
    test_torch_older(bytes, v->tensors, v->count);
    if (dp_model_open_bytes(&model, bytes->bytes, bytes->size, "googlenet.pth", NULL, NULL, NULL,
                            &error)
        != DEEPER_OK)
        fail_msg("%s", error.message);
    return model;
}

static float *pictures(void) {
    float *input = malloc(sizeof *input * BATCH * 3 * SIDE * SIDE);
    assert_non_null(input);
    for (int i = 0; i < BATCH * 3; i++)
        test_waves(input + (size_t)i * SIDE * SIDE, i, SIDE);
    return input;
}

/* Runs a graph with the model's values; labels: of a training graph. */
static void run_graph(const dp_model *model, const dp_graph *graph, const int *outputs, int count,
                      float (*results)[BATCH][CLASSES], bool training) {
    float *input = pictures(), labels[2 * BATCH] = { 0, 1, 0, 1 }, *to[3];
    const float *inputs[] = { input, labels };
    const plan_subject subject = { .graph = graph,
                                   .values = model->values,
                                   .inputs = inputs,
                                   .images = BATCH,
                                   .outputs = outputs,
                                   .output_count = count,
                                   .training = training };
    plan_way way = { .batch = BATCH, .threads = 2 };
    dp_pool *pool = NULL;
    assert_int_equal(dp_isa_select(&way.isa, NULL), DEEPER_OK);
    assert_int_equal(dp_pool_create(&pool, NULL, way.threads, NULL), DEEPER_OK);
    for (int i = 0; i < count; i++)
        to[i] = &results[i][0][0];
    plan_machine machine = plan_open(&subject, way);
    plan_run(&machine, pool, to);
    plan_close(&machine);
    dp_pool_free(pool);
    free(input);
}

/* 1e-4 of the largest logit, the project's figure for imports; float rounding of some 60 layers is
 * 1e-6 of it. */
static void same_logits(const char *what, float (*found)[CLASSES], const float (*wanted)[CLASSES]) {
    float max_difference = 0, largest = 0;
    for (int n = 0; n < BATCH; n++)
        for (int c = 0; c < CLASSES; c++) {
            max_difference = fmaxf(max_difference, fabsf(found[n][c] - wanted[n][c]));
            largest = fmaxf(largest, fabsf(wanted[n][c]));
        }
    print_message("%s: logits up to %g differ by at most %g\n", what, (double)largest,
                  (double)max_difference);
    if (!(max_difference <= 1e-4F * largest))
        fail_msg("%s differs", what);
}

static void googlenet_at_inference(void **state) {
    vectors *v = read_vectors();
    test_bytes bytes = { 0 };
    float results[1][BATCH][CLASSES];
    dp_model *model = open_vectors(v, &bytes);
    assert_string_equal(model->source, "torchvision's googlenet, with both auxiliary heads");
    assert_int_equal(model->classes, CLASSES);
    assert_false(model->has_preprocess); /* twenty classes: not the published weights */
    int output = dp_graph_find(model->graph, "loss3/classifier");
    run_graph(model, model->graph, &output, 1, results, false);
    same_logits("inference", results[0], v->logits[EVAL]);
    dp_model_free(model);
    free_vectors(v);
    free(bytes.bytes);
}

static void googlenet_in_training(void **state) {
    static const dp_training_options options = { { 1.0F, 0.3F, 0.3F }, 0.0F, NULL };
    static const char *const heads[] = { "loss3/classifier", "loss1/classifier",
                                         "loss2/classifier" };
    vectors *v = read_vectors();
    test_bytes bytes = { 0 };
    float results[3][BATCH][CLASSES];
    int outputs[3];
    dp_graph *training = NULL;
    dp_training_nodes nodes;
    deeper_error error;
    dp_model *model = open_vectors(v, &bytes);
    for (int i = 0; i < model->graph->count; i++)
        if (model->graph->nodes[i].op == DP_OP_DROPOUT)
            model->graph->nodes[i].attributes.dropout.rate = 0;
    if (dp_graph_training(&training, &nodes, model->graph, &options, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    for (int h = 0; h < 3; h++)
        outputs[h] = dp_graph_find(training, heads[h]);
    run_graph(model, training, outputs, 3, results, true);
    for (int h = 0; h < 3; h++)
        same_logits(heads[h], results[h], v->logits[MAIN + h]);
    dp_training_nodes_free(&nodes, NULL);
    dp_graph_free(training);
    dp_model_free(model);
    free_vectors(v);
    free(bytes.bytes);
}

/* What is around the weights: wrappers' prefixes, heads that do not fit, layers that are missing or
 * too many. */
static void variants(void **state) {
    vectors *v = read_vectors();
    test_bytes bytes = { 0 };
    deeper_error error;
    dp_model *model = NULL;
    static char prefixed[MAX_TENSORS][120];
    for (size_t i = 0; i < v->count; i++) {
        snprintf(prefixed[i], sizeof prefixed[i], "module._orig_mod.%s", v->names[i]);
        v->tensors[i].name = prefixed[i];
        if (strcmp(v->names[i], "aux1.fc2.weight") == 0)
            v->tensors[i].shape[0] = 10; /* of the storage's twenty rows */
    }
    model = open_vectors(v, &bytes);
    assert_string_equal(
        model->source, "torchvision's googlenet, auxiliary heads left out, for they are not whole");
    assert_int_equal(dp_graph_find(model->graph, "loss1/classifier"), -1);
    dp_model_free(model);
    free(bytes.bytes);

    for (size_t i = 0; i < v->count; i++)
        v->tensors[i].name =
            strcmp(v->names[i], "conv2.conv.weight") == 0 ? "conv2.other.weight" : v->names[i];
    bytes = (test_bytes){ 0 };
    test_torch_older(&bytes, v->tensors, v->count);
    assert_int_equal(
        dp_model_open_bytes(&model, bytes.bytes, bytes.size, "x.pth", NULL, NULL, NULL, &error),
        DEEPER_ERROR_MISMATCH);
    assert_non_null(strstr(error.message, "1 tensor missing (first conv2/3x3_reduce.weight"));
    assert_non_null(strstr(error.message, "1 unknown (first conv2.other.weight"));
    free(bytes.bytes);

    bytes = (test_bytes){ 0 };
    test_torch_older(&bytes, v->tensors, 3);
    assert_int_equal(
        dp_model_open_bytes(&model, bytes.bytes, bytes.size, "x.pth", NULL, NULL, NULL, &error),
        DEEPER_ERROR_UNSUPPORTED);
    assert_non_null(strstr(
        error.message,
        "named as those of torchvision's googlenet, torchvision's vgg16, torchvision's alexnet"));
    assert_null(model);
    free(bytes.bytes);
    free_vectors(v);
}

/* The published weights' thousand classes: labels and preprocessing are theirs. */
static void published(void **state) {
    vectors *v = read_vectors();
    test_bytes bytes = { 0 };
    for (size_t i = 0; i < v->count; i++)
        if (strncmp(v->names[i], "fc.", 3) == 0) {
            v->tensors[i].shape[0] = 1000;
            free((void *)(uintptr_t)v->tensors[i].storage);
            fill_tensor(&v->tensors[i], i);
        }
    dp_model *model = open_vectors(v, &bytes);
    assert_int_equal(model->classes, 1000);
    assert_string_equal(model->labels.items[0].id, "n01440764");
    assert_true(model->has_preprocess && !model->preprocess.bgr
                && model->preprocess.rule == DP_RESIZE_SHORT);
    assert_int_equal(model->preprocess.side, 256);
    for (int c = 0; c < 3; c++) /* (x / 255 - 0.5) / 0.5 */
        assert_true(model->preprocess.mean[c] == 127.5F
                    && model->preprocess.scale[c] == 1 / 127.5F);
    dp_model_free(model);
    free_vectors(v);
    free(bytes.bytes);
}

/* A layer of torchvision's or timm's: rows, columns and window of its weight, which stays where it
 * is and is never read. */
typedef struct named_layer {
    const char *name;
    size_t rows, columns, window; /* window 0: a linear layer */
} named_layer;

static void opens_in_place(const named_layer *layers, size_t count, const void *zeros,
                           const char *title) {
    dp_tensor tensors[64];
    char names[64][64];
    dp_model *model = NULL;
    deeper_error error = { 0 };
    for (size_t i = 0; i < 2 * count; i++) {
        const named_layer *layer = &layers[i / 2];
        size_t window = layer->window ? layer->window : 1;
        snprintf(names[i], sizeof names[i], "%s.%s", layer->name, i % 2 ? "bias" : "weight");
        tensors[i] = (dp_tensor){ .name = names[i],
                                  .rank = i % 2           ? 1
                                          : layer->window ? 4
                                                          : 2,
                                  .data = zeros };
        memcpy(tensors[i].shape, (size_t[]){ layer->rows, layer->columns, window, window },
               4 * sizeof(size_t));
        tensors[i].bytes =
            layer->rows * (i % 2 ? 1 : layer->columns * window * window) * sizeof(float);
    }
    const dp_contents contents = { .tensors = tensors, .count = 2 * count };
    if (dp_torchvision_open(&model, &contents, true, "x.safetensors", NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_string_equal(model->source, title);
    dp_model_free(model);
}

static void other_networks(void **state) {
    static const named_layer alexnet[] = {
        { "features.0", 64, 3, 11 },       { "features.3", 192, 64, 5 },
        { "features.6", 384, 192, 3 },     { "features.8", 256, 384, 3 },
        { "features.10", 256, 256, 3 },    { "classifier.1", 4096, 9216, 0 },
        { "classifier.4", 4096, 4096, 0 }, { "classifier.6", 10, 4096, 0 },
    };
    static const named_layer vgg16[] = {
        { "features.0", 64, 3, 3 },        { "features.2", 64, 64, 3 },
        { "features.5", 128, 64, 3 },      { "features.7", 128, 128, 3 },
        { "features.10", 256, 128, 3 },    { "features.12", 256, 256, 3 },
        { "features.14", 256, 256, 3 },    { "features.17", 512, 256, 3 },
        { "features.19", 512, 512, 3 },    { "features.21", 512, 512, 3 },
        { "features.24", 512, 512, 3 },    { "features.26", 512, 512, 3 },
        { "features.28", 512, 512, 3 },    { "classifier.0", 4096, 25088, 0 },
        { "classifier.3", 4096, 4096, 0 }, { "classifier.6", 1000, 4096, 0 },
    };
    named_layer timm[LENGTH(vgg16)];
    void *zeros = calloc((size_t)4096 * 25088, sizeof(float));
    assert_non_null(zeros);
    opens_in_place(alexnet, LENGTH(alexnet), zeros, "torchvision's alexnet");
    opens_in_place(vgg16, LENGTH(vgg16), zeros, "torchvision's vgg16");
    memcpy(timm, vgg16, sizeof timm);
    timm[13] = (named_layer){ "pre_logits.fc1", 4096, 512, 7 };
    timm[14] = (named_layer){ "pre_logits.fc2", 4096, 4096, 1 };
    timm[15].name = "head.fc";
    opens_in_place(timm, LENGTH(timm), zeros, "torchvision's vgg16");
    free(zeros);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(googlenet_at_inference),
        cmocka_unit_test(googlenet_in_training),
        cmocka_unit_test(variants),
        cmocka_unit_test(published),
        cmocka_unit_test(other_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
