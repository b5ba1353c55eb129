/* test_onnx_backend.c - ONNX's own tests of its operators and of whole networks, recorded inputs
 * and outputs, through our importer and plans. Looked for in DEEPER_ONNX_TESTDATA (the folder
 * backend/test/data of Python's onnx package) and where Debian's libonnx-testdata puts them;
 * skipped where there are none. Operators that deeper does not list are counted; of those it does
 * every case passes or is refused, and the refusal is printed.
 *
 * Values that a case feeds beside the picture (weights, shapes) become initializers: deeper's
 * networks have one input. */
#include "base/files.h"
#include "base/float_mode.h"
#include "formats/onnx/onnx_import.h"
#include "helpers/helpers.h"
#include "plan/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const debian = "/usr/share/libonnx-testdata/data";

/* What the importer is for. */
static const char *const listed[] = {
    "Conv",
    "Gemm",
    "MatMul",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "LRN",
    "BatchNormalization",
    "Relu",
    "Concat",
    "Softmax",
    "Dropout",
    "Flatten",
    "Reshape",
    "Add",
    "Sum",
    "Sub",
    "Mul",
    "Div",
    "Clip",
    "Identity",
    "Constant",
    "ConstantOfShape",
    "Pad",
    "QuantizeLinear",
    "DequantizeLinear",
    "ReduceMean",
    "Squeeze",
    "Unsqueeze",
    "Transpose",
    "Shape",
    "Gather",
    "Slice",
    "Split",
    "Sigmoid",
    "HardSigmoid",
    "HardSwish",
    "Cast",
    "LeakyRelu",
    "PRelu",
    "Erf",
    "Gelu",
    "Tanh",
    "Neg",
    "Pow",
    "Resize",
    "LayerNormalization",
    "InstanceNormalization",
    "GroupNormalization",
};

typedef struct tally {
    int passed, refused, failed, others;
} tally;

static bool is_listed(const Onnx__GraphProto *graph) {
    for (size_t i = 0; i < graph->n_node; i++) {
        bool named = false;
        for (size_t j = 0; j < sizeof listed / sizeof *listed; j++)
            named = named || strcmp(graph->node[i]->op_type, listed[j]) == 0;
        if (!named)
            return false;
    }
    return true;
}

/* A tensor of a .pb file, NULL if there is none. */
static Onnx__TensorProto *read_tensor(const char *folder, const char *set, const char *kind,
                                      size_t index) {
    char path[TEST_PATH_SIZE], name[400];
    size_t size;
    snprintf(name, sizeof name, "%.300s%s_%zu.pb", set, kind, index);
    test_path(path, folder, name);
    char *bytes = test_read(path, &size);
    if (!bytes)
        return NULL;
    Onnx__TensorProto *tensor = onnx__tensor_proto__unpack(NULL, size, (const uint8_t *)bytes);
    free(bytes);
    return tensor;
}

/* The case's model with every input but the first of floats as an initializer, as bytes. *picture:
 * that input's tensor. */
static void *prepare(const char *folder, Onnx__ModelProto *model, Onnx__TensorProto **picture,
                     size_t *size) {
    Onnx__GraphProto *graph = model->graph;
    size_t old = graph->n_initializer;
    Onnx__TensorProto **all = calloc(old + graph->n_input + 1, sizeof *all),
                      **given = graph->initializer;
    if (old)
        memcpy(all, given, old * sizeof *all);
    for (size_t i = 0; i < graph->n_input; i++) {
        Onnx__TensorProto *tensor = read_tensor(folder, "test_data_set_0/", "input", i);
        if (!tensor)
            continue;
        if (!*picture && tensor->data_type == DP_ONNX_FLOAT && tensor->n_dims >= 2) {
            *picture = tensor;
            continue;
        }
        free(tensor->name);
        tensor->name = strdup(graph->input[i]->name);
        all[graph->n_initializer++] = tensor;
    }
    graph->initializer = all;
    *size = onnx__model_proto__get_packed_size(model);
    void *bytes = malloc(*size);
    onnx__model_proto__pack(model, bytes);
    for (size_t i = old; i < graph->n_initializer; i++)
        onnx__tensor_proto__free_unpacked(all[i], NULL);
    free(all);
    graph->initializer = given;
    graph->n_initializer = old;
    return bytes;
}

/* The values of the network's output for `images` pictures. */
static float *run_network(const dp_onnx_network *network, const float *input, int images) {
    deeper_error error = { 0 };
    const dp_graph *graph = network->graph;
    dp_isa isa = DP_ISA_PORTABLE;
    dp_packs *packs = NULL;
    dp_plan *plan = NULL;
    dp_pool *pool = NULL;
    assert_int_equal(dp_isa_select(&isa, &error), DEEPER_OK);
    const float **values = calloc((size_t)graph->parameters + 1, sizeof *values);
    float **buffers = calloc((size_t)graph->parameters + 1, sizeof *buffers);
    for (int i = 0; i < graph->count; i++) {
        int p = graph->nodes[i].parameter;
        if (p < 0)
            continue;
        values[p] = network->parameters[p].values;
        if (values[p])
            continue;
        size_t floats = dp_shape_floats(graph->nodes[i].shape);
        buffers[p] = malloc(floats * sizeof **buffers);
        for (size_t j = 0; j < floats; j++)
            buffers[p][j] = network->parameters[p].fill;
        values[p] = buffers[p];
    }
    float *output = malloc(dp_shape_floats(graph->nodes[network->output].shape) * (size_t)images
                           * sizeof *output);
    dp_plan_options options = { .kernels = dp_kernels_for(isa),
                                .max_batch = images,
                                .threads = 1,
                                .outputs = &network->output,
                                .output_count = 1 };
    assert_int_equal(dp_packs_create(&packs, NULL, &error), DEEPER_OK);
    if (dp_plan_create(&plan, graph, values, packs, &options, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_int_equal(dp_pool_create(&pool, NULL, 1, &error), DEEPER_OK);
    float *arena = dp_alloc(NULL, dp_plan_arena_bytes(plan), 1);
    uint64_t mode = dp_float_mode_enter();
    dp_plan_run(plan, pool, arena,
                &(dp_plan_call){ .count = images, .inputs = &input, .outputs = &output });
    dp_float_mode_leave(mode);
    dp_free(NULL, arena);
    dp_pool_free(pool);
    dp_plan_free(plan);
    dp_packs_free(packs);
    for (int p = 0; p < graph->parameters; p++)
        free(buffers[p]);
    free(buffers);
    free(values);
    return output;
}

/* As ONNX's own runner compares: |a - b| <= 1e-7 + tolerance * |b|, for every element. */
static bool close_enough(const float *got, const float *wanted, size_t count, double tolerance) {
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - (double)wanted[i])
              <= 1e-7 + tolerance * fabs((double)wanted[i])))
            return false;
    return true;
}

static float *floats_of(const Onnx__TensorProto *proto, size_t *count) {
    dp_onnx_file file = { .name = "tensor" };
    dp_tensor tensor;
    deeper_error error = { 0 };
    assert_int_equal(dp_onnx_tensor(&file, proto, &tensor, &error), DEEPER_OK);
    assert_true(dp_dtype_is_weight(tensor.dtype) && dp_tensor_elements(&tensor, count));
    float *values = malloc((*count + 1) * sizeof *values);
    dp_tensor_read(&tensor, values);
    dp_onnx_free(&file);
    return values;
}

/* Runs a prepared model and compares; the case's name is the last part of its folder. */
static void check_case(const char *name, const void *bytes, size_t size, const float *input,
                       const Onnx__TensorProto *wanted, double tolerance, int images, tally *t) {
    deeper_error error = { 0 };
    dp_onnx_file file;
    dp_onnx_network network = { 0 };
    deeper_status status = dp_onnx_parse(&file, bytes, size, name, NULL, NULL, &error);
    if (status == DEEPER_OK)
        status = dp_onnx_import(&network, &file, &error);
    if (status != DEEPER_OK) {
        bool refused = status == DEEPER_ERROR_UNSUPPORTED || status == DEEPER_ERROR_LIMIT;
        *(refused ? &t->refused : &t->failed) += 1;
        printf("%s %s\n", refused ? "refused:" : "FAILED:", error.message);
    } else {
        size_t count;
        float *expected = floats_of(wanted, &count), *got = run_network(&network, input, images);
        bool same =
            count == dp_shape_floats(network.graph->nodes[network.output].shape) * (size_t)images
            && close_enough(got, expected, count, tolerance);
        *(same ? &t->passed : &t->failed) += 1;
        if (!same)
            printf("FAILED: %s: other values\n", name);
        free(expected);
        free(got);
    }
    dp_onnx_network_free(&network, NULL);
    dp_onnx_free(&file);
}

static void run_case(const char *folder, const char *name, tally *t) {
    char path[TEST_PATH_SIZE];
    size_t size;
    test_path(path, folder, "model.onnx");
    char *bytes = test_read(path, &size);
    Onnx__ModelProto *model =
        bytes ? onnx__model_proto__unpack(NULL, size, (const uint8_t *)bytes) : NULL;
    free(bytes);
    Onnx__TensorProto *picture = NULL,
                      *wanted = model ? read_tensor(folder, "test_data_set_0/", "output", 0) : NULL;
    dp_dtype dtype = DP_DTYPE_I8;
    if (!model || !is_listed(model->graph) || !wanted || !dp_onnx_dtype(&dtype, wanted->data_type)
        || !dp_dtype_is_weight(dtype)) {
        t->others += model != NULL;
    } else {
        void *prepared = prepare(folder, model, &picture, &size);
        if (picture) {
            size_t count;
            float *input = floats_of(picture, &count);
            check_case(name, prepared, size, input, wanted, 1e-3, (int)picture->dims[0], t);
            free(input);
        } else
            t->others++;
        free(prepared);
    }
    if (picture)
        onnx__tensor_proto__free_unpacked(picture, NULL);
    if (wanted)
        onnx__tensor_proto__free_unpacked(wanted, NULL);
    if (model)
        onnx__model_proto__free_unpacked(model, NULL);
}

static void run_folder(const char *data, const char *kind, tally *t) {
    char folder[TEST_PATH_SIZE], path[TEST_PATH_SIZE];
    dp_listing listing;
    test_path(folder, data, kind);
    if (dp_is_folder(folder) != 1)
        return;
    assert_int_equal(dp_listing_read(&listing, folder, NULL, NULL), DEEPER_OK);
    for (size_t i = 0; i < listing.count; i++) {
        test_path(path, folder, listing.names[i]);
        run_case(path, listing.names[i], t);
    }
    dp_listing_free(&listing, NULL);
}

static void test_cases(void **state) {
    static const char *const kinds[] = { "node", "pytorch-converted", "pytorch-operator",
                                         "simple" };
    const char *folders[] = { getenv("DEEPER_ONNX_TESTDATA"), debian };
    tally t = { 0 };
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds && folders[i]; k++)
            run_folder(folders[i], kinds[k], &t);
    if (t.passed + t.refused + t.failed == 0) {
        fprintf(stderr,
                "no test data of ONNX: set DEEPER_ONNX_TESTDATA, or install libonnx-testdata\n");
        skip();
    }
    printf("%d passed, %d refused by name, %d failed; %d of other operators or without pictures\n",
           t.passed, t.refused, t.failed, t.others);
    assert_int_equal(t.failed, 0);
    assert_true(t.passed >= 20);
}

/* Whole networks whose values were replaced by constants. The input is 0, 1/n, 2/n ... */
static void test_networks(void **state) {
    const char *data = getenv("DEEPER_ONNX_TESTDATA");
    char folder[TEST_PATH_SIZE], path[TEST_PATH_SIZE], name[256];
    dp_listing listing;
    tally t = { 0 };
    test_path(folder, data ? data : "", "light");
    if (!data || dp_is_folder(folder) != 1) {
        fprintf(stderr, "no whole networks of ONNX: set DEEPER_ONNX_TESTDATA to backend/test/data "
                        "of Python's onnx package\n");
        skip();
    }
    assert_int_equal(dp_listing_read(&listing, folder, NULL, NULL), DEEPER_OK);
    for (size_t i = 0; i < listing.count; i++) {
        size_t size, length = strlen(listing.names[i]);
        if (length < 6 || strcmp(listing.names[i] + length - 5, ".onnx") != 0)
            continue;
        snprintf(name, sizeof name, "%.*s_", (int)(length - 5), listing.names[i]);
        Onnx__TensorProto *wanted = read_tensor(folder, name, "output", 0);
        test_path(path, folder, listing.names[i]);
        char *bytes = test_read(path, &size);
        float *input = malloc(3 * 224 * 224 * sizeof *input);
        for (int k = 0; k < 3 * 224 * 224; k++)
            input[k] = (float)k / (3 * 224 * 224);
        int passed = t.passed;
        check_case(listing.names[i], bytes, size, input, wanted,
                   strstr(name, "densenet") ? 2e-3 : 1e-3, 1, &t);
        if (t.passed > passed)
            printf("passed: %s\n", listing.names[i]);
        free(input);
        free(bytes);
        onnx__tensor_proto__free_unpacked(wanted, NULL);
    }
    dp_listing_free(&listing, NULL);
    printf("%d networks passed, %d refused by name, %d failed\n", t.passed, t.refused, t.failed);
    assert_int_equal(t.failed, 0);
    assert_true(t.passed >= 1);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases),
                                        cmocka_unit_test(test_networks) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
