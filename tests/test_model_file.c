/* test_model_file.c - our model files: what is saved opens to the same bits, in any element type;
 * what is missing, wrong or of another network is refused by name. The container's own checks are
 * test_safetensors.c's. */
#include "base/random.h"
#include "formats/formats.h"
#include "formats/safetensors/safetensors.h"
#include "helpers/helpers.h"
#include "model/labels.h"
#include "model/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The smallest networks there are: 35 thousand parameters. */
#define SMALL "googlenet:stem=small,branch5=3x3,width=0.0625"

enum { CLASSES = 3, SIDE = 32 };

static char *folder;
static char path[TEST_PATH_SIZE];

static int begin(void **state) {
    folder = test_folder();
    test_path(path, folder, "model.safetensors");
    return 0;
}

static int end(void **state) {
    test_folder_remove(folder);
    return 0;
}

static dp_model *small_model(const char *spec, bool whole) {
    static const char labels[] = "n01 tench, Tinca tinca\nn02 고양이\nn03 \"quoted\" \\ name\n";
    dp_model *model = NULL;
    deeper_error error = { 0 };
    if (dp_model_create(&model, spec, CLASSES, SIDE, NULL, &error) != DEEPER_OK
        || dp_model_allocate(model, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    dp_random random = dp_random_at(1, 2, 3);
    for (int p = 0; p < model->graph->parameters; p++) {
        float *values = model->arena + (model->values[p] - model->arena);
        for (size_t i = 0; i < dp_shape_floats(dp_model_parameter(model, p)->shape); i++)
            values[i] = dp_random_normal(&random);
    }
    if (!whole)
        return model;
    model->has_preprocess = true;
    model->preprocess = (dp_preprocess){ .size = SIDE,
                                         .channels = 3,
                                         .mean = { 0.485F, 104, 1e-30F },
                                         .scale = { 1.0F / 255, 1.0F / 3, 3e38F },
                                         .rule = DP_RESIZE_SHORT,
                                         .side = 37,
                                         .filter = DP_FILTER_BICUBIC };
    model->source = strdup("a test");
    model->training = strdup("{\"epochs\": 3,\n\"top1\": 0.5}");
    assert_int_equal(
        dp_labels_from_text(&model->labels, labels, sizeof labels - 1, "labels", NULL, &error),
        DEEPER_OK);
    return model;
}

static void same_text(const char *a, const char *b) {
    assert_int_equal(a != NULL, b != NULL);
    if (a)
        assert_string_equal(a, b);
}

static void same_values(const dp_model *a, const dp_model *b) {
    assert_int_equal(a->graph->parameters, b->graph->parameters);
    for (int p = 0; p < a->graph->parameters; p++) {
        const dp_node *node = dp_model_parameter(a, p);
        assert_string_equal(node->name, dp_model_parameter(b, p)->name);
        assert_memory_equal(a->values[p], b->values[p],
                            dp_shape_floats(node->shape) * sizeof(float));
    }
}

static void same_model(const dp_model *a, const dp_model *b) {
    same_values(a, b);
    same_text(a->architecture, b->architecture);
    same_text(a->options, b->options);
    same_text(a->source, b->source);
    same_text(a->training, b->training);
    assert_int_equal(a->classes, b->classes);
    assert_int_equal(a->has_preprocess, b->has_preprocess);
    if (a->has_preprocess) {
        const dp_preprocess *p = &a->preprocess, *q = &b->preprocess;
        assert_memory_equal(p->mean, q->mean, sizeof p->mean);
        assert_memory_equal(p->scale, q->scale, sizeof p->scale);
        assert_true(p->size == q->size && p->channels == q->channels && p->bgr == q->bgr
                    && p->rule == q->rule && p->side == q->side && p->filter == q->filter);
    }
    assert_int_equal(a->labels.count, b->labels.count);
    for (size_t i = 0; i < a->labels.count; i++) {
        assert_string_equal(a->labels.items[i].id, b->labels.items[i].id);
        assert_string_equal(a->labels.items[i].name, b->labels.items[i].name);
    }
}

static void save(const dp_model *model, const char *to) {
    deeper_error error = { 0 };
    if (dp_model_save(model, to, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
}

static void round_trip(void **state) {
    static const char *const specs[] = { SMALL, SMALL ",norm=bn", SMALL ",module=naive,norm=none" };
    for (size_t i = 0; i < 2 * sizeof specs / sizeof *specs; i++) {
        dp_model *model = small_model(specs[i / 2], i % 2), *opened = NULL;
        deeper_error error = { 0 };
        save(model, path);
        assert_int_equal(dp_model_open(&opened, path, NULL, &error), DEEPER_OK);
        assert_string_equal(opened->format, "safetensors");
        same_model(model, opened);
        assert_non_null(opened->file); /* used where it lies */
        assert_null(opened->arena);

        /* Over the very file that is in use; the same bytes come out. */
        size_t size, again_size;
        char *bytes = test_read(path, &size);
        save(opened, path);
        char *again = test_read(path, &again_size);
        assert_int_equal(size, again_size);
        assert_memory_equal(bytes, again, size);
        same_values(model, opened);
        free(bytes);
        free(again);
        dp_model_free(opened);

        /* Where the caller asked for it, in the file. */
        const dp_open_options mapped = { .mapped = true };
        assert_int_equal(dp_model_open_as(&opened, path, &mapped, NULL, &error), DEEPER_OK);
        assert_non_null(opened->map.data);
        same_values(model, opened);
        dp_model_free(opened);

        /* Emptied and overwritten in place while it is open: nothing of the model is lost. */
        static const char zeros[1 << 16];
        assert_int_equal(dp_model_open(&opened, path, NULL, &error), DEEPER_OK);
        test_write(path, zeros, sizeof zeros);
        same_values(model, opened);
        assert_int_equal(truncate(path, 0), 0);
        same_values(model, opened);
        dp_model_free(opened);
        dp_model_free(model);
    }
}

/* The other container: all values and texts, through memory of the model's own. */
static void npz_round_trip(void **state) {
    dp_model *model = small_model(SMALL ",norm=bn", true), *opened = NULL;
    deeper_error error = { 0 };
    char npz[TEST_PATH_SIZE];
    test_path(npz, folder, "model.npz");
    save(model, npz);
#ifdef DP_HAVE_ZIP
    if (dp_model_open(&opened, npz, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_string_equal(opened->format, "npz");
    assert_null(opened->file);
    same_model(model, opened);
#else
    assert_int_equal(dp_model_open(&opened, npz, NULL, &error), DEEPER_ERROR_UNSUPPORTED);
#endif
    dp_model_free(opened);
    dp_model_free(model);
}

static void shapes_as_written(void **state) {
    dp_model *model = small_model(SMALL, false);
    save(model, path);
    dp_model_free(model);
    size_t size;
    char *bytes = test_read(path, &size);
    dp_safetensors file;
    assert_int_equal(dp_safetensors_parse(&file, bytes, size, path, NULL, NULL), DEEPER_OK);
    for (size_t i = 0; i < file.count; i++) {
        const char *dot = strrchr(file.tensors[i].name, '.');
        bool fc = strncmp(file.tensors[i].name, "loss3/classifier", 16) == 0;
        assert_int_equal(file.tensors[i].rank, strcmp(dot, ".bias") == 0 ? 1 : fc ? 2 : 4);
    }
    assert_string_equal(file.tensors[0].name, "conv1/3x3_s1.weight"); /* the order of the network */
    dp_safetensors_free(&file);
    free(bytes);
}

static void not_saved(void **state) {
    dp_model *model = NULL;
    deeper_error error = { 0 };
    assert_int_equal(dp_model_create(&model, SMALL, CLASSES, SIDE, NULL, &error), DEEPER_OK);
    assert_int_equal(dp_model_save(model, path, NULL, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "no weights"));
    static const char *const other[] = { "model.txt", "model", "model.npz/safetensors" };
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(dp_model_save(model, other[i], NULL, &error), DEEPER_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, "its ending says no format"));
    }
    assert_int_equal(test_folder_count(folder), 0);
    dp_model_free(model);
}

/* ------------------------------------------------------------------ files that are a little off */

/* A sound file in memory that a test takes apart: its tensors and texts may be changed, then it is
 * written and opened again. */
typedef struct edited {
    dp_model *model; /* what is in it */
    char *bytes;
    size_t size;
    dp_safetensors file;
    void *blocks[512]; /* freed at the end */
    int block_count;
} edited;

static void edit(edited *e) {
    *e = (edited){ .model = small_model(SMALL, true) };
    save(e->model, path);
    e->bytes = test_read(path, &e->size);
    assert_int_equal(dp_safetensors_parse(&e->file, e->bytes, e->size, path, NULL, NULL),
                     DEEPER_OK);
    /* As version 0.1 wrote it; the sum is the last text. */
    size_t last = --e->file.metadata_count;
    assert_string_equal(e->file.metadata[last].key, "deeper.sum");
}

static void edit_end(edited *e) {
    dp_safetensors_free(&e->file);
    for (int i = 0; i < e->block_count; i++)
        free(e->blocks[i]);
    free(e->bytes);
    dp_model_free(e->model);
}

static deeper_status reopen(edited *e, dp_model **opened, deeper_error *error) {
    *error = (deeper_error){ 0 };
    *opened = NULL;
    deeper_status status =
        dp_safetensors_write(path, e->file.tensors, e->file.count, e->file.metadata,
                             e->file.metadata_count, NULL, error);
    assert_int_equal(status, DEEPER_OK);
    status = dp_model_open(opened, path, NULL, error);
    assert_int_equal(*opened != NULL, status == DEEPER_OK);
    if (status != DEEPER_OK)
        assert_memory_equal(error->message, path, strlen(path));
    return status;
}

static void refused(edited *e, deeper_status wanted, const char *words) {
    dp_model *opened;
    deeper_error error;
    deeper_status status = reopen(e, &opened, &error);
    if (status != wanted || !strstr(error.message, words))
        fail_msg("\"%s\" wanted, %d found: %s", words, status, error.message);
}

static dp_text *text_of(edited *e, const char *key) {
    for (size_t i = 0; i < e->file.metadata_count; i++)
        if (strcmp(e->file.metadata[i].key, key) == 0)
            return &e->file.metadata[i];
    fail_msg("no %s", key);
    return NULL;
}

static dp_tensor *tensor_of(edited *e, const char *name) {
    for (size_t i = 0; i < e->file.count; i++)
        if (strcmp(e->file.tensors[i].name, name) == 0)
            return &e->file.tensors[i];
    fail_msg("no %s", name);
    return NULL;
}

/* Turns a tensor into another type by cutting its floats, so that the values are what the short
 * type holds. */
static void convert(edited *e, dp_tensor *tensor, dp_dtype dtype) {
    size_t count = tensor->bytes / 4, width = dp_dtype_bytes(dtype);
    unsigned char *to = calloc(count, width);
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        float value;
        memcpy(&bits, (const char *)tensor->data + 4 * i, 4);
        memcpy(&value, &bits, 4);
        double wide = value;
        uint16_t bf16 = (uint16_t)(bits >> 16);
        uint16_t f16 = (uint16_t)((bits >> 16 & 0x8000) | ((bits >> 23 & 255) - 112) << 10
                                  | (bits >> 13 & 0x3FF));
        memcpy(to + width * i,
               dtype == DP_DTYPE_F64    ? (void *)&wide
               : dtype == DP_DTYPE_BF16 ? (void *)&bf16
                                        : (void *)&f16,
               width);
    }
    tensor->data = e->blocks[e->block_count++] = to;
    tensor->bytes = count * width;
    tensor->dtype = dtype;
}

/* All tensors in another type, or every second one: values must be the floats cut to that type. */
static void other_types(void **state) {
    static const struct {
        dp_dtype dtype;
        uint32_t kept; /* bits of a float that the type holds */
    } cases[] = { { DP_DTYPE_BF16, 0xFFFF0000 },
                  { DP_DTYPE_F16, 0xFFFFE000 },
                  { DP_DTYPE_F64, 0xFFFFFFFF } };
    for (size_t k = 0; k < 2 * sizeof cases / sizeof *cases; k++) {
        edited e;
        edit(&e);
        for (int p = 0; p < e.model->graph->parameters; p++) {
            float *values = e.model->arena + (e.model->values[p] - e.model->arena);
            dp_tensor *tensor = tensor_of(&e, dp_model_parameter(e.model, p)->name);
            size_t count = tensor->bytes / 4;
            for (size_t i = 0; i < count; i++)
                values[i] +=
                    values[i] < 0 ? -1.0F : 1.0F; /* so that all are normal numbers of F16 */
            float *copy = malloc(tensor->bytes);
            memcpy(copy, values, tensor->bytes);
            tensor->data = e.blocks[e.block_count++] = copy;
            if (k % 2 && p % 2)
                continue;
            convert(&e, tensor, cases[k / 2].dtype);
            for (size_t i = 0; i < count; i++) {
                uint32_t bits;
                memcpy(&bits, &values[i], 4);
                bits &= cases[k / 2].kept;
                memcpy(&values[i], &bits, 4);
            }
        }
        dp_model *opened;
        deeper_error error;
        assert_int_equal(reopen(&e, &opened, &error), DEEPER_OK);
        same_model(e.model, opened);
        assert_null(opened->file); /* converted, so the file is let go */
        dp_model_free(opened);
        edit_end(&e);
    }
}

/* A file whose floats do not lie on whole floats is read all the same. */
static void misaligned(void **state) {
    edited e;
    edit(&e);
    unsigned char *odd = malloc(e.size + 1);
    memcpy(odd + 1, e.bytes, e.size);
    dp_model *opened = NULL;
    deeper_error error = { 0 };
    assert_int_equal(dp_model_open_bytes(&opened, odd + 1, e.size, "odd", NULL, NULL, NULL, &error),
                     DEEPER_OK);
    assert_non_null(opened->arena);
    same_model(e.model, opened);
    dp_model_free(opened);
    free(odd);
    edit_end(&e);
}

static void missing_metadata(void **state) {
    static const char *const keys[] = { "deeper.version", "deeper.architecture", "deeper.options",
                                        "deeper.classes", "deeper.preprocess" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        edited e;
        edit(&e);
        text_of(&e, keys[i])->key = "other";
        char words[64];
        snprintf(words, sizeof words, "no %s in its metadata", keys[i]);
        refused(&e, DEEPER_ERROR_FORMAT, words);
        refused(&e, DEEPER_ERROR_FORMAT, "use a file that deeper saved");
        edit_end(&e);
    }
}

#define RULE(size, channels, order, mean, scale, resize, crop)                                     \
    "{\"size\":" size ",\"channels\":" channels ",\"order\":" order ",\"mean\":" mean              \
    ",\"scale\":" scale ",\"resize\":" resize ",\"crop\":" crop "}"
#define THREE "[1,2,3]"
#define SQUASH "{\"rule\":\"squash\",\"side\":40,\"filter\":\"area\"}"

static void bad_metadata(void **state) {
    static const struct {
        const char *key, *text;
        deeper_status status;
        const char *words;
    } cases[] = {
        { "deeper.version", "2", DEEPER_ERROR_UNSUPPORTED, "model file version 2" },
        { "deeper.architecture", "resnet", DEEPER_ERROR_UNSUPPORTED,
          "its network: resnet: no such architecture" },
        { "deeper.options", "norm=none,norm", DEEPER_ERROR_UNSUPPORTED, "its network: googlenet" },
        { "deeper.options", "stem=small,width=0.0625", DEEPER_ERROR_MISMATCH,
          "not the weights of googlenet: " },
        { "deeper.classes", "", DEEPER_ERROR_FORMAT, "deeper.classes is ''" },
        { "deeper.classes", "3x", DEEPER_ERROR_FORMAT, "deeper.classes is '3x'" },
        { "deeper.classes", "0", DEEPER_ERROR_FORMAT, "deeper.classes" },
        { "deeper.classes", "99999999999999999999", DEEPER_ERROR_FORMAT, "deeper.classes" },
        { "deeper.classes", "4", DEEPER_ERROR_FORMAT, "deeper.labels has 3 entries for 4 classes" },
        { "deeper.source", "two\nlines", DEEPER_ERROR_FORMAT, "deeper.source" },
        { "deeper.labels", "{", DEEPER_ERROR_FORMAT, "deeper.labels is not sound JSON" },
        { "deeper.labels", "[]", DEEPER_ERROR_FORMAT, "without labels" },
        { "deeper.labels", "[[\"a\",\"a\"],[\"b\",\"b\"]]", DEEPER_ERROR_FORMAT, "2 entries" },
        { "deeper.labels", "[[\"a\",\"a\"],[\"b\",\"b\"],[\"a\",\"c\"]]", DEEPER_ERROR_FORMAT,
          "two classes have the id a" },
        { "deeper.labels", "[[\"a\",\"a\"],[\"b\",1],[\"c\",\"c\"]]", DEEPER_ERROR_FORMAT,
          "entry 2 is not [ID, NAME]" },
        { "deeper.labels", "[[\"a\",\"a\"],[\"\",\"b\"],[\"c\",\"c\"]]", DEEPER_ERROR_FORMAT,
          "label 2" },
        { "deeper.labels", "[[\"a\",\"\\u001b\"]]", DEEPER_ERROR_FORMAT, "label 1" },
        { "deeper.preprocess", "", DEEPER_ERROR_FORMAT, "deeper.preprocess is not sound JSON" },
        { "deeper.preprocess", "[]", DEEPER_ERROR_FORMAT, "size" },
        { "deeper.preprocess", "{\"size\":32,\"channels\":1}", DEEPER_ERROR_FORMAT,
          "channels is 1; googlenet takes 3" },
        { "deeper.preprocess", "{\"size\":0,\"channels\":3}", DEEPER_ERROR_FORMAT, "size is not" },
        { "deeper.preprocess", "{\"size\":1000000,\"channels\":3}", DEEPER_ERROR_UNSUPPORTED,
          "image size" },
        { "deeper.preprocess", "{\"size\":32,\"channels\":2}", DEEPER_ERROR_FORMAT,
          "channels is not 1 or 3" },
        { "deeper.preprocess", "{\"size\":32,\"channels\":3,\"order\":\"RGB\"}",
          DEEPER_ERROR_FORMAT, "mean" },
        { "deeper.preprocess", RULE("32", "3", "\"GBR\"", THREE, THREE, SQUASH, "\"centre\""),
          DEEPER_ERROR_FORMAT, "order" },
        { "deeper.preprocess", RULE("32", "1", "\"BGR\"", "[1]", "[1]", SQUASH, "\"centre\""),
          DEEPER_ERROR_FORMAT, "order is not grey" },
        { "deeper.preprocess", RULE("32", "3", "\"RGB\"", "[1,2]", THREE, SQUASH, "\"centre\""),
          DEEPER_ERROR_FORMAT, "mean" },
        { "deeper.preprocess",
          RULE("32", "3", "\"RGB\"", "[1,2,1e39]", THREE, SQUASH, "\"centre\""),
          DEEPER_ERROR_FORMAT, "mean" },
        { "deeper.preprocess",
          RULE("32", "3", "\"RGB\"", THREE, "[1,2,\"3\"]", SQUASH, "\"centre\""),
          DEEPER_ERROR_FORMAT, "scale" },
        { "deeper.preprocess", RULE("32", "3", "\"RGB\"", THREE, "[0,0,0]", SQUASH, "\"centre\""),
          DEEPER_ERROR_FORMAT, "scale" },
        { "deeper.preprocess", RULE("32", "3", "\"RGB\"", THREE, THREE, "{}", "\"centre\""),
          DEEPER_ERROR_FORMAT, "resize.rule" },
        { "deeper.preprocess",
          RULE("32", "3", "\"RGB\"", THREE, THREE, "{\"rule\":\"none\",\"filter\":\"x\"}",
               "\"centre\""),
          DEEPER_ERROR_FORMAT, "resize.filter" },
        { "deeper.preprocess",
          RULE("32", "3", "\"RGB\"", THREE, THREE, "{\"rule\":\"short\",\"filter\":\"area\"}",
               "\"centre\""),
          DEEPER_ERROR_FORMAT, "resize.side" },
        { "deeper.preprocess", RULE("64", "3", "\"RGB\"", THREE, THREE, SQUASH, "\"centre\""),
          DEEPER_ERROR_FORMAT, "side is 40" },
        { "deeper.preprocess", RULE("32", "3", "\"RGB\"", THREE, THREE, SQUASH, "\"left\""),
          DEEPER_ERROR_FORMAT, "crop" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        edited e;
        edit(&e);
        text_of(&e, cases[i].key)->text = cases[i].text;
        refused(&e, cases[i].status, cases[i].words);
        edit_end(&e);
    }
    edited e;
    edit(&e);
    char *long_text = calloc(4096, 1);
    memset(long_text, 'x', 4095);
    e.blocks[e.block_count++] = long_text;
    text_of(&e, "deeper.options")->text = long_text;
    refused(&e, DEEPER_ERROR_LIMIT, "longer than");
    edit_end(&e);
}

/* The difference as one line, to the letter. */
static void difference(void **state) {
    edited e;
    edit(&e);
    tensor_of(&e, "inception_3a/1x1.weight")->name = "inception_3a/1x2.weight";
    tensor_of(&e, "inception_5b/pool_proj.bias")->name = "data"; /* a node, but no parameter */
    dp_tensor *other = tensor_of(&e, "conv2/3x3_reduce.weight");
    *other = (dp_tensor){ .name = other->name,
                          .rank = 3,
                          .shape = { 8, 2, 4 },
                          .data = other->data,
                          .bytes = 8 * 2 * 4 * 4 };
    refused(&e, DEEPER_ERROR_MISMATCH,
            ": not the weights of googlenet: 2 tensors missing (first inception_3a/1x1.weight "
            "8x16x1x1), 2 unknown (first "
            "inception_3a/1x2.weight 8x16x1x1), 1 of other shape (conv2/3x3_reduce.weight: 8x8x1x1 "
            "wanted, 8x2x4 found)");
    edit_end(&e);

    edit(&e);
    dp_tensor *weight = tensor_of(&e, "loss3/classifier.weight");
    weight->shape[1]--;
    weight->bytes -= 3 * 4;
    refused(&e, DEEPER_ERROR_MISMATCH,
            "googlenet: 1 of other shape (loss3/classifier.weight: 3x64 wanted, 3x63 found)");
    edit_end(&e);

    edit(&e);
    e.file.count--;
    refused(&e, DEEPER_ERROR_MISMATCH, "googlenet: 1 tensor missing (first ");
    edit_end(&e);
}

/* Names that would overflow a message do not. */
static void long_difference(void **state) {
    edited e;
    edit(&e);
    char *name = calloc(100001, 1);
    memset(name, 'n', 100000);
    e.blocks[e.block_count++] = name;
    tensor_of(&e, "inception_3a/1x1.weight")->name = name;
    refused(&e, DEEPER_ERROR_MISMATCH, "1 tensor missing (first inception_3a/1x1.weight");
    edit_end(&e);
}

static void tolerated_shapes(void **state) {
    edited e;
    edit(&e);
    dp_tensor *weight = tensor_of(&e, "loss3/classifier.weight"),
              *bias = tensor_of(&e, "loss3/classifier.bias");
    weight->rank = 4;
    weight->shape[2] = weight->shape[3] = 1;
    bias->rank = 4;
    bias->shape[1] = bias->shape[2] = bias->shape[3] = 1;
    dp_model *opened;
    deeper_error error;
    assert_int_equal(reopen(&e, &opened, &error), DEEPER_OK);
    same_model(e.model, opened);
    dp_model_free(opened);
    edit_end(&e);
}

static void not_a_weight(void **state) {
    edited e;
    edit(&e);
    tensor_of(&e, "conv2/3x3.bias")->dtype = DP_DTYPE_I32;
    refused(&e, DEEPER_ERROR_UNSUPPORTED,
            "conv2/3x3.bias holds I32; weights are read from F32, F16, BF16 and F64");
    edit_end(&e);
}

/* -------------------------------------------------------------------------------------- opening */

static void not_a_model(void **state) {
    static const struct {
        const char *bytes, *words;
    } cases[] = { { "", "an empty file" },
                  { "hello, this is text", "not a model that deeper reads" },
                  { "PK\3\4 and more of a zip", "not a model that deeper reads" },
                  { "12345678{", "8 MB" } };
    dp_model *opened;
    deeper_error error = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_write(path, cases[i].bytes, strlen(cases[i].bytes));
        assert_int_not_equal(dp_model_open(&opened, path, NULL, &error), DEEPER_OK);
        assert_null(opened);
        assert_memory_equal(error.message, path, strlen(path));
        assert_non_null(strstr(error.message, cases[i].words));
    }
    test_path(path, folder, "none");
    assert_int_equal(dp_model_open(&opened, path, NULL, &error), DEEPER_ERROR_IO);
    assert_int_equal(dp_model_open(&opened, folder, NULL, &error), DEEPER_ERROR_IO);
}

/* A bit that changed, in values or in what the file says of itself, is seen by who opens it. */
static void damage_is_seen(void **state) {
    dp_model *model = small_model(SMALL, true), *opened = NULL;
    size_t size;
    save(model, path);
    char *bytes = test_read(path, &size);
    size_t header = (size_t)(unsigned char)bytes[0] + ((size_t)(unsigned char)bytes[1] << 8);
    const size_t source = (size_t)(strstr(bytes + 8, "\"deeper.source\"") - bytes) + 18;
    const size_t places[] = { source, 8 + header, 8 + header + 63, size / 2, size - 1 };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (int bit = 0; bit < 8; bit += places[i] == source ? 8 : 1) {
            deeper_error error = { 0 };
            bytes[places[i]] ^= (char)(1 << bit);
            test_write(path, bytes, size);
            assert_int_equal(dp_model_open(&opened, path, NULL, &error), DEEPER_ERROR_FORMAT);
            assert_non_null(strstr(error.message, "damaged: its checksum"));
            assert_null(opened);
            bytes[places[i]] ^= (char)(1 << bit);
        }
    test_write(path, bytes, size);
    assert_int_equal(dp_model_open(&opened, path, NULL, NULL), DEEPER_OK);
    dp_model_free(opened);
    dp_model_free(model);
    free(bytes);
}

static void allocations_fail(void **state) {
    edited e;
    edit(&e);
    test_failing_allocator failing;
    deeper_error error;
    convert(&e, tensor_of(&e, "conv2/3x3.bias"),
            DP_DTYPE_F64); /* so that the arena is asked for too */
    assert_int_equal(dp_safetensors_write(path, e.file.tensors, e.file.count, e.file.metadata,
                                          e.file.metadata_count, NULL, &error),
                     DEEPER_OK);
    for (long n = 1, done = 0; !done; n++) {
        dp_model *opened = NULL;
        test_failing_allocator_init(&failing, n);
        deeper_status status = dp_model_open(&opened, path, &failing.allocator, &error);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        dp_model_free(opened);
        assert_int_equal(failing.outstanding, 0);
    }
    for (long n = 1, done = 0; !done; n++) {
        test_failing_allocator_init(&failing, n);
        e.model->allocator = &failing.allocator;
        deeper_status status = dp_model_save(e.model, path, NULL, &error);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        assert_int_equal(failing.outstanding, 0);
    }
    e.model->allocator = NULL;
    edit_end(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(round_trip, begin, end),
        cmocka_unit_test_setup_teardown(npz_round_trip, begin, end),
        cmocka_unit_test_setup_teardown(shapes_as_written, begin, end),
        cmocka_unit_test_setup_teardown(not_saved, begin, end),
        cmocka_unit_test_setup_teardown(other_types, begin, end),
        cmocka_unit_test_setup_teardown(misaligned, begin, end),
        cmocka_unit_test_setup_teardown(missing_metadata, begin, end),
        cmocka_unit_test_setup_teardown(bad_metadata, begin, end),
        cmocka_unit_test_setup_teardown(difference, begin, end),
        cmocka_unit_test_setup_teardown(long_difference, begin, end),
        cmocka_unit_test_setup_teardown(tolerated_shapes, begin, end),
        cmocka_unit_test_setup_teardown(not_a_weight, begin, end),
        cmocka_unit_test_setup_teardown(not_a_model, begin, end),
        cmocka_unit_test_setup_teardown(damage_is_seen, begin, end),
        cmocka_unit_test_setup_teardown(allocations_fail, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
