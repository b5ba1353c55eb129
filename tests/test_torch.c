/* test_torch.c - PyTorch's files and torchvision's names: files that PyTorch wrote
 * (tests/vectors/torch_small.py), damaged and hostile ones, and torchvision's own googlenet against
 * what it computed (tests/vectors/torchvision_googlenet.py). The unpickler alone is
 * test_pickle.c's.
 * One file because all of it reads the same recorded files. */
#include "formats/formats.h"
#include "formats/torch/torch.h"
#include "formats/torch/torchvision.h"
#include "graph/training.h"
#include "helpers/formula.h"
#include "helpers/helpers.h"
#include "helpers/pickles.h"
#include "model/model.h"
#include "plan/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifndef DP_HAVE_LIBZIP
#define DP_HAVE_LIBZIP 0
#endif

#define LENGTH(array) (sizeof(array) / sizeof *(array))

enum { CLASSES = 20, BATCH = 2, SIDE = 224, MAX_TENSORS = 400 };

static deeper_status parse(dp_torch *file, const test_bytes *bytes, deeper_error *error) {
    *error = (deeper_error){ 0 };
    return dp_torch_parse(file, bytes->bytes, bytes->size, "x.pth", NULL, error);
}

static void refused(const test_bytes *bytes, deeper_status wanted, const char *words) {
    dp_torch file;
    deeper_error error;
    deeper_status status = parse(&file, bytes, &error);
    if (status != wanted || !strstr(error.message, words))
        fail_msg("status %d and \"%s\", not %d and \"%s\"", (int)status, error.message, (int)wanted,
                 words);
    assert_memory_equal(error.message, "x.pth: ", 7);
    assert_null(strchr(error.message, '\n'));
    assert_null(file.tensors);
}

/* --------------------------------------------------------------------- files that PyTorch wrote */

/* The file of a name in torch_small.txt; freed by the caller. */
static test_bytes recorded(const char *name) {
    test_bytes bytes = { 0 };
    size_t size;
    char *text = test_read(TEST_SOURCE_DIR "/tests/vectors/torch_small.txt", &size);
    assert_non_null(text);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        size_t length = strlen(name);
        if (strncmp(line, name, length) != 0 || line[length] != ' ')
            continue;
        for (const char *hex = line + length + 1; hex[0] && hex[1]; hex += 2) {
            unsigned byte;
            assert_int_equal(sscanf(hex, "%2x", &byte), 1);
            test_put_number(&bytes, byte, 1);
        }
    }
    free(text);
    assert_true(bytes.size > 0);
    return bytes;
}

static void has(const dp_torch *file, const char *name, dp_dtype type, int rank,
                const size_t *shape, const float *values) {
    const dp_tensor *tensor = NULL;
    size_t elements;
    float found[8];
    for (size_t i = 0; i < file->count; i++)
        tensor = strcmp(file->tensors[i].name, name) == 0 ? &file->tensors[i] : tensor;
    assert_non_null(tensor);
    assert_int_equal(tensor->dtype, type);
    assert_int_equal(tensor->rank, rank);
    if (rank)
        assert_memory_equal(tensor->shape, shape, (size_t)rank * sizeof *shape);
    assert_true(dp_tensor_elements(tensor, &elements) && elements <= LENGTH(found));
    if (!values)
        return;
    dp_tensor_read(tensor, found);
    assert_memory_equal(found, values, elements * sizeof *found);
}

static void files_of_pytorch(void **state) {
    static const char *const names[] = { "zip", "older", "protocol4" };
    for (size_t i = DP_HAVE_LIBZIP ? 0 : 1; i < (DP_HAVE_LIBZIP ? LENGTH(names) : 2); i++) {
        test_bytes bytes = recorded(names[i]);
        dp_torch file;
        deeper_error error;
        assert_true(dp_torch_sniff(bytes.bytes, bytes.size));
        if (parse(&file, &bytes, &error) != DEEPER_OK)
            fail_msg("%s: %s", names[i], error.message);
        assert_int_equal(file.count, 8);
        has(&file, "plain", DP_DTYPE_F32, 2, (size_t[]){ 2, 3 }, (float[]){ 0, 1, 2, 3, 4, 5 });
        has(&file, "turned", DP_DTYPE_F32, 2, (size_t[]){ 3, 2 }, (float[]){ 7, 13, 8, 14, 9, 15 });
        has(&file, "parameter", DP_DTYPE_F32, 1, (size_t[]){ 2 }, (float[]){ 0.5F, -1 });
        has(&file, "half", DP_DTYPE_F16, 1, (size_t[]){ 2 }, (float[]){ 1.5F, -2 });
        has(&file, "brain", DP_DTYPE_BF16, 1, (size_t[]){ 2 }, (float[]){ 1.5F, -2 });
        has(&file, "double", DP_DTYPE_F64, 1, (size_t[]){ 1 }, (float[]){ 0.1F });
        has(&file, "count", DP_DTYPE_I64, 0, NULL, NULL);
        has(&file, "flag", DP_DTYPE_BOOL, 1, (size_t[]){ 2 }, NULL);
        dp_torch_free(&file);
        for (size_t size = 0; size < bytes.size;
             size += 1 + size / 37) { /* cut anywhere: an error in one line */
            test_bytes cut = { malloc(size + 1), size };
            memcpy(cut.bytes, bytes.bytes, size);
            assert_int_not_equal(parse(&file, &cut, &error), DEEPER_OK);
            assert_null(strchr(error.message, '\n'));
            free(cut.bytes);
        }
        free(bytes.bytes);
    }
}

static void checkpoints(void **state) {
    test_bytes nested = recorded("nested"), module = recorded("module");
    dp_torch file;
    deeper_error error;
    assert_int_equal(parse(&file, &nested, &error), DEEPER_OK);
    assert_int_equal(file.count, 1);
    has(&file, "plain", DP_DTYPE_F32, 2, (size_t[]){ 2, 3 }, (float[]){ 0, 1, 2, 3, 4, 5 });
    dp_torch_free(&file);
    refused(&module, DEEPER_ERROR_UNSUPPORTED,
            "asks to call torch.nn.modules.linear.Linear; refused");
    free(nested.bytes);
    free(module.bytes);
}

/* --------------------------------------------------------------------------------- hostile ones */

/* A file in both forms of one tensor, which must be refused. */
static void refused_tensor(const test_torch_tensor *tensor, deeper_status status,
                           const char *words) {
    test_bytes pickle = { 0 }, zip = { 0 }, older = { 0 };
    test_torch_pickle(&pickle, tensor, 1);
    test_torch_zip(&zip, &pickle, tensor, 1);
    test_torch_older(&older, tensor, 1);
    refused(&zip, status, words);
    if (!tensor->key
        && tensor->bytes == tensor->elements * sizeof(float)) /* these two are said otherwise */
        refused(&older, status, words);
    free(pickle.bytes);
    free(zip.bytes);
    free(older.bytes);
}

static void tensors_that_lie(void **state) {
    static const float data[6] = { 0 };
#define ONE                                                                                        \
    .name = "a", .type = "FloatStorage", .storage = data, .bytes = sizeof data, .elements = 6
    static const struct {
        test_torch_tensor tensor;
        const char *words;
    } cases[] = {
        { { ONE, .rank = 1, .shape = { 7 } }, "tensor a has more elements than its storage" },
        { { ONE, .rank = 1, .shape = { 6 }, .offset = 1 }, "tensor a reaches outside its storage" },
        { { ONE, .rank = 1, .shape = { 1 }, .offset = 6 }, "tensor a reaches outside its storage" },
        { { ONE, .rank = 2, .shape = { 2, 2 }, .strided = true, .strides = { 5, 1 } },
          "reaches outside" },
        { { ONE, .rank = 2, .shape = { 2, 2 }, .strided = true,
            .strides = { INT64_MAX, INT64_MAX } },
          "reaches outside" },
        { { ONE, .rank = 1, .shape = { 1000 }, .strided = true, .strides = { 0 } },
          "more elements" },
        { { ONE, .rank = 2, .shape = { INT64_MAX, 4 } }, "more elements" },
        { { ONE, .rank = 1, .shape = { (size_t)-1 } }, "no sound storage, offset, shape" },
        { { ONE, .rank = 1, .shape = { 2 }, .strided = true, .strides = { (size_t)-1 } },
          "no sound storage, offset, shape" },
        { { ONE, .rank = 1, .shape = { 2 }, .offset = (size_t)-1 },
          "no sound storage, offset, shape" },
        { { ONE, .rank = 9, .shape = { 1, 1, 1, 1, 1, 1, 1, 1, 1 } },
          "no sound storage, offset, shape" },
        { { ONE, .rank = 1, .shape = { 1 }, .key = "../../etc/passwd" },
          "storage ../../etc/passwd is not in the file" },
        { { ONE, .rank = 1, .shape = { 1 }, .key = "../byteorder" }, "is not in the file" },
        { { .name = "a",
            .type = "FloatStorage",
            .storage = data,
            .bytes = 20,
            .elements = 6,
            .rank = 1,
            .shape = { 6 } },
          "storage 0 has 20 bytes for 6 elements of F32" },
        { { .name = "a",
            .type = "FloatStorage",
            .storage = data,
            .bytes = 24,
            .elements = (size_t)1 << 62,
            .rank = 1,
            .shape = { 6 } },
          "a storage of 4611686018427387904 elements" },
        { { .name = "a\n", .type = "FloatStorage", .storage = data, .bytes = 24, .elements = 6 },
          "not clean text" },
    };
    for (size_t i = 0; i < LENGTH(cases); i++)
        refused_tensor(&cases[i].tensor, DEEPER_ERROR_FORMAT, cases[i].words);
    refused_tensor(&(test_torch_tensor){ .name = "a",
                                         .type = "ComplexFloatStorage",
                                         .storage = data,
                                         .bytes = 24,
                                         .elements = 6 },
                   DEEPER_ERROR_UNSUPPORTED, "asks to call torch.ComplexFloatStorage; refused");
}

/* Pickles of another shape than a state dict's, in the zip form. */
static void dictionaries_that_are_none(void **state) {
#define STORAGE(count) "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0000X\3\0\0\0cpuK" count "tQ"
    static const struct {
        const char *bytes;
        size_t size;
        deeper_status status;
        const char *words;
    } cases[] = {
        { "N.", 2, DEEPER_ERROR_FORMAT, "no dictionary of tensors in it" },
        { "}.", 2, DEEPER_ERROR_FORMAT, "no dictionary of tensors in it" },
        { "}X\5\0\0\0modelh\0s.", 15, DEEPER_ERROR_FORMAT, "memo" },
        { "}q\0X\5\0\0\0modelh\0s.", 17, DEEPER_ERROR_FORMAT,
          "no dictionary of tensors in it" }, /* a loop */
        { "K\1Q.", 4, DEEPER_ERROR_FORMAT, "no storage of tensors" },
        { "cos\nsystem\n.", 12, DEEPER_ERROR_UNSUPPORTED, "asks to call os.system; refused" },
        { STORAGE("\1") STORAGE("\2") "\x86.", 2 * 51 + 4 - 2, DEEPER_ERROR_FORMAT,
          "storage 0 is stated in two ways" },
        { "}K\1ctorch._utils\n_rebuild_tensor_v2\n)Rs.", 40, DEEPER_ERROR_FORMAT,
          "not clean text" },
        { "}X\1\0\0\0actorch._utils\n_rebuild_tensor_v2\n)Rs.", 44, DEEPER_ERROR_FORMAT,
          "tensor a has no sound storage" },
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        test_bytes pickle = { (unsigned char *)(uintptr_t)cases[i].bytes, cases[i].size },
                   zip = { 0 };
        test_torch_zip(&zip, &pickle, NULL, 0);
        refused(&zip, cases[i].status, cases[i].words);
        free(zip.bytes);
    }
}

static void other_zips_and_pickles(void **state) {
    test_bytes bytes = { 0 };
    test_zip_put(&bytes, &(test_zip_entry){ .name = "notes.txt" }, 1);
    refused(&bytes, DEEPER_ERROR_FORMAT,
            "neither a PyTorch state dict (data.pkl) nor NumPy arrays");
    free(bytes.bytes);
    const test_zip_entry big[] = { { .name = "m/data.pkl", .data = "}.", .size = 2 },
                                   { .name = "m/byteorder", .data = "big", .size = 3 } };
    bytes = (test_bytes){ 0 };
    test_zip_put(&bytes, big, 2);
    refused(&bytes, DEEPER_ERROR_UNSUPPORTED, "not little-endian");
    free(bytes.bytes);
    bytes = (test_bytes){ (unsigned char *)(uintptr_t) "\x80\4}.", 4 };
    assert_true(dp_torch_sniff(bytes.bytes, bytes.size));
    refused(&bytes, DEEPER_ERROR_UNSUPPORTED, "a pickle that torch.save did not write");
}

static void allocations_fail(void **state) {
    static const char *const names[] = { "zip", "older" };
    for (size_t i = DP_HAVE_LIBZIP ? 0 : 1; i < LENGTH(names); i++) {
        test_bytes bytes = recorded(names[i]);
        for (long n = 1, done = 0; !done; n++) {
            test_failing_allocator it;
            dp_torch file;
            deeper_error error = { 0 };
            test_failing_allocator_init(&it, n);
            deeper_status status =
                dp_torch_parse(&file, bytes.bytes, bytes.size, "x.pth", &it.allocator, &error);
            done = it.calls < n;
            assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
            dp_torch_free(&file);
            assert_int_equal(it.outstanding, 0);
        }
        free(bytes.bytes);
    }
}

/* ---------------------------------------------------------------------- torchvision's googlenet */

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
    if (dp_model_open_bytes(&model, bytes->bytes, bytes->size, "googlenet.pth", NULL, NULL, &error)
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
    float *input = pictures(), labels[2 * BATCH] = { 0, 1, 0, 1 };
    float *to[3] = { &results[0][0][0], &results[count > 1][0][0],
                     &results[count > 2 ? 2 : 0][0][0] };
    const float *inputs[] = { input, labels };
    deeper_error error;
    dp_plan *plan = NULL;
    dp_packs *packs = NULL;
    dp_pool *pool = NULL;
    dp_isa isa;
    assert_int_equal(dp_isa_select(&isa, NULL), DEEPER_OK);
    dp_plan_options options = {
        dp_kernels_for(isa), BATCH, 2, outputs, count, training, false, NULL
    };
    assert_int_equal(dp_packs_create(&packs, NULL, NULL), DEEPER_OK);
    if (dp_plan_create(&plan, graph, model->values, packs, &options, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_int_equal(dp_pool_create(&pool, NULL, 2, NULL), DEEPER_OK);
    void *arena = dp_alloc(NULL, dp_plan_arena_bytes(plan), 1);
    assert_non_null(arena);
    dp_plan_run(plan, pool, arena,
                &(dp_plan_call){ .count = BATCH, .inputs = inputs, .outputs = to });
    dp_free(NULL, arena);
    dp_pool_free(pool);
    dp_plan_free(plan);
    dp_packs_free(packs);
    free(input);
}

/* 1e-4 of the largest logit, the project's figure for imports; float rounding of some 60 layers is
 * 1e-6 of it. */
static void same_logits(const char *what, float (*found)[CLASSES], const float (*wanted)[CLASSES]) {
    float most = 0, largest = 0;
    for (int n = 0; n < BATCH; n++)
        for (int c = 0; c < CLASSES; c++) {
            most = fmaxf(most, fabsf(found[n][c] - wanted[n][c]));
            largest = fmaxf(largest, fabsf(wanted[n][c]));
        }
    print_message("%s: logits up to %g differ by at most %g\n", what, (double)largest,
                  (double)most);
    if (!(most <= 1e-4F * largest))
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
        dp_model_open_bytes(&model, bytes.bytes, bytes.size, "x.pth", NULL, NULL, &error),
        DEEPER_ERROR_MISMATCH);
    assert_non_null(strstr(error.message, "1 tensor missing (first conv2/3x3_reduce.weight"));
    assert_non_null(strstr(error.message, "1 unknown (first conv2.other.weight"));
    free(bytes.bytes);

    bytes = (test_bytes){ 0 };
    test_torch_older(&bytes, v->tensors, 3);
    assert_int_equal(
        dp_model_open_bytes(&model, bytes.bytes, bytes.size, "x.pth", NULL, NULL, &error),
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
        cmocka_unit_test(files_of_pytorch),
        cmocka_unit_test(checkpoints),
        cmocka_unit_test(tensors_that_lie),
        cmocka_unit_test(dictionaries_that_are_none),
        cmocka_unit_test(other_zips_and_pickles),
        cmocka_unit_test(allocations_fail),
        cmocka_unit_test(googlenet_at_inference),
        cmocka_unit_test(googlenet_in_training),
        cmocka_unit_test(variants),
        cmocka_unit_test(published),
        cmocka_unit_test(other_networks),
    };
    const struct CMUnitTest without[] = {
        cmocka_unit_test(files_of_pytorch),
        cmocka_unit_test(allocations_fail),
        cmocka_unit_test(googlenet_at_inference),
        cmocka_unit_test(googlenet_in_training),
        cmocka_unit_test(variants),
        cmocka_unit_test(published),
        cmocka_unit_test(other_networks),
    };
    return DP_HAVE_LIBZIP ? cmocka_run_group_tests_name("torch", tests, NULL, NULL)
                          : cmocka_run_group_tests_name("torch", without, NULL, NULL);
}
