/* test_caffemodel.c - caffemodels: the published one where it is at hand, and ones made here in
 * both forms, with and without the auxiliary heads, damaged, hostile, and of another network. */
#include "caffemodel.pb-c.h"
#include "formats/caffe/caffemodel.h"
#include "formats/formats.h"
#include "helpers/helpers.h"
#include "model/fill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A caffemodel in the making: up to MAX layers of up to two blobs, one serialised whole. */
enum { MAX = 128 };

typedef struct weights_file {
    Caffe__NetParameter net;
    Caffe__V1LayerParameter v1[MAX], *v1_list[MAX];
    Caffe__LayerParameter now[MAX], *now_list[MAX];
    Caffe__BlobProto blobs[MAX][2], *blob_list[MAX][2];
    Caffe__BlobShape shapes[MAX][2];
    int64_t dims[MAX][2][4];
    char names[MAX][64];
    size_t layers, blob_counts[MAX];
} weights_file;

static float value_of(const char *parameter, size_t index) {
    size_t seed = strlen(parameter) + (unsigned char)parameter[strlen(parameter) / 2];
    return (float)(seed % 97) + (float)(index % 1021) / 1024.0F;
}

/* The place of a layer, which is added if it is new. */
static size_t add_layer(weights_file *m, const char *layer) {
    size_t at = 0;
    while (at < m->layers && strcmp(m->names[at], layer) != 0)
        at++;
    if (at == m->layers) {
        m->layers++;
        snprintf(m->names[at], sizeof m->names[at], "%s", layer);
        caffe__v1_layer_parameter__init(&m->v1[at]);
        caffe__layer_parameter__init(&m->now[at]);
    }
    return at;
}

/* Blob `index` (0 weight, 1 bias) of a layer; its values by value_of. */
static Caffe__BlobProto *add_blob(weights_file *m, const char *layer, int index,
                                  const int64_t *dims, size_t rank, const char *parameter) {
    size_t at = add_layer(m, layer);
    Caffe__BlobProto *blob = &m->blobs[at][index];
    caffe__blob_proto__init(blob);
    caffe__blob_shape__init(&m->shapes[at][index]);
    m->blob_list[at][index] = blob;
    m->blob_counts[at]++;
    blob->n_data = 1;
    for (size_t i = 0; i < rank; i++) {
        m->dims[at][index][i] = dims[i];
        blob->n_data *= (size_t)dims[i];
    }
    m->shapes[at][index].n_dim = rank;
    m->shapes[at][index].dim = m->dims[at][index];
    blob->shape = &m->shapes[at][index];
    blob->data = malloc(blob->n_data * sizeof *blob->data);
    for (size_t i = 0; i < blob->n_data; i++)
        blob->data[i] = value_of(parameter, i);
    return blob;
}

/* All parameters of a network, in the shapes of the newer form. */
static weights_file *weights_of(const char *spec, int classes, int size) {
    weights_file *m = calloc(1, sizeof *m);
    dp_model *model = NULL;
    assert_int_equal(dp_model_create(&model, spec, classes, size, NULL, NULL), DEEPER_OK);
    for (int i = 0; i < model->graph->count; i++) {
        if (model->graph->nodes[i].parameter < 0)
            continue;
        dp_tensor tensor;
        dp_parameter_tensor(model->graph, i, &tensor);
        char layer[64];
        snprintf(layer, sizeof layer, "%s", tensor.name);
        char *dot = strrchr(layer, '.');
        *dot = '\0';
        int64_t dims[4];
        for (int d = 0; d < tensor.rank; d++)
            dims[d] = (int64_t)tensor.shape[d];
        add_blob(m, layer, strcmp(dot + 1, "bias") == 0, dims, (size_t)tensor.rank, tensor.name);
    }
    dp_model_free(model);
    return m;
}

static weights_file *googlenet(void) {
    return weights_of("googlenet:aux=1", 1000, 224);
}

static void weights_free(weights_file *m) {
    for (size_t i = 0; i < m->layers; i++)
        for (size_t j = 0; j < 2; j++) {
            free(m->blobs[i][j].data);
            free(m->blobs[i][j].double_data);
        }
    free(m);
}

static size_t layer_of(const weights_file *m, const char *name) {
    for (size_t i = 0; i < m->layers; i++)
        if (strcmp(m->names[i], name) == 0)
            return i;
    fail_msg("no layer %s", name);
    return 0;
}

/* The four numbers of the older form: 1x1xNxM for two sizes, 1x1x1xN for one. */
static void older_shapes(weights_file *m) {
    for (size_t i = 0; i < m->layers; i++)
        for (size_t j = 0; j < m->blob_counts[i]; j++) {
            Caffe__BlobProto *blob = m->blob_list[i][j];
            int32_t dims[4] = { 1, 1, 1, 1 };
            size_t rank = blob->shape->n_dim;
            for (size_t d = 0; d < rank; d++)
                dims[4 - rank + d] = (int32_t)blob->shape->dim[d];
            blob->has_num = blob->has_channels = blob->has_height = blob->has_width = 1;
            blob->num = dims[0];
            blob->channels = dims[1];
            blob->height = dims[2];
            blob->width = dims[3];
            blob->shape = NULL;
        }
}

/* The bytes of the file, in one of the forms, without the layers whose name begins with `without`
 * (NULL: with all). */
static unsigned char *pack(weights_file *m, bool v1, const char *without, size_t *size) {
    caffe__net_parameter__init(&m->net);
    size_t count = 0;
    for (size_t i = 0; i < m->layers; i++) {
        if (without && strncmp(m->names[i], without, strlen(without)) == 0)
            continue;
        m->v1[i].name = m->now[i].name = m->names[i];
        m->v1[i].n_blobs = m->now[i].n_blobs = m->blob_counts[i];
        m->v1[i].blobs = m->now[i].blobs = m->blob_list[i];
        m->v1_list[count] = &m->v1[i];
        m->now_list[count++] = &m->now[i];
    }
    m->net.layers = v1 ? m->v1_list : NULL;
    m->net.n_layers = v1 ? count : 0;
    m->net.layer = v1 ? NULL : m->now_list;
    m->net.n_layer = v1 ? 0 : count;
    *size = caffe__net_parameter__get_packed_size(&m->net);
    unsigned char *bytes = malloc(*size ? *size : 1);
    caffe__net_parameter__pack(&m->net, bytes);
    return bytes;
}

static deeper_status open_weights(weights_file *m, bool v1, const char *without, dp_model **model,
                                  deeper_error *error) {
    size_t size;
    unsigned char *bytes = pack(m, v1, without, &size);
    *error = (deeper_error){ 0 };
    deeper_status status =
        dp_model_open_bytes(model, bytes, size, "x.caffemodel", NULL, NULL, NULL, error);
    free(bytes); /* before the values are looked at: nothing may point there */
    return status;
}

static void check_values(const dp_model *model) {
    for (int p = 0; p < model->graph->parameters; p++) {
        const dp_node *node = dp_model_parameter(model, p);
        size_t wrong = 0, count = dp_shape_floats(node->shape);
        for (size_t i = 0; i < count; i++)
            wrong += model->values[p][i] != value_of(node->name, i);
        if (wrong)
            fail_msg("%s: %zu of %zu values differ", node->name, wrong, count);
    }
}

static void check_published(const dp_model *model) {
    assert_string_equal(model->format, "caffemodel");
    assert_string_equal(model->architecture, "googlenet");
    assert_int_equal(model->classes, 1000);
    assert_int_equal(model->labels.count, 1000);
    assert_string_equal(model->labels.items[0].name, "tench, Tinca tinca");
    assert_string_equal(model->labels.items[282].id, "n02123159");
    assert_string_equal(model->labels.items[282].name, "tiger cat");
    assert_string_equal(model->labels.items[999].id, "n15075141");
    assert_true(model->has_preprocess);
    const dp_preprocess *p = &model->preprocess;
    assert_true(p->size == 224 && p->channels == 3 && p->bgr && p->rule == DP_RESIZE_SQUASH
                && p->side == 256 && p->filter == DP_FILTER_BILINEAR);
    assert_true(p->mean[0] == 104 && p->mean[1] == 117 && p->mean[2] == 123);
    assert_true(p->scale[0] == 1 && p->scale[1] == 1 && p->scale[2] == 1);
    assert_int_equal(dp_preprocess_check(p, NULL), DEEPER_OK);
}

static uint64_t parameters_of(const dp_model *model) {
    uint64_t sum = 0;
    for (int p = 0; p < model->graph->parameters; p++)
        sum += dp_shape_floats(dp_model_parameter(model, p)->shape);
    return sum;
}

/* ---------------------------------------------------------------------------------- sound files */

static void published_file(void **state) {
    char path[TEST_PATH_SIZE];
    if (!test_data(path, "models/bvlc_googlenet.caffemodel"))
        skip();
    dp_model *model = NULL;
    deeper_error error = { 0 };
    if (dp_model_open(&model, path, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    check_published(model);
    assert_string_equal(model->source,
                        "BVLC GoogLeNet, caffemodel (layer form), without auxiliary heads");
    assert_non_null(strstr(model->options, "aux=0"));
    assert_int_equal(parameters_of(model), 6998552);
    /* The first weight of the file by a look at its bytes. */
    uint32_t bits;
    memcpy(&bits, &model->values[0][0], 4);
    assert_int_equal(bits, 0x3DB4A4B7);
    assert_null(model->file);
    dp_model_free(model);
}

static void both_forms_with_heads(void **state) {
    for (int v1 = 0; v1 < 2; v1++) {
        weights_file *m = googlenet();
        if (v1)
            older_shapes(m);
        dp_model *model = NULL;
        deeper_error error;
        if (open_weights(m, v1, NULL, &model, &error) != DEEPER_OK)
            fail_msg("%s", error.message);
        weights_free(m);
        check_published(model);
        check_values(model);
        assert_int_equal(parameters_of(model), 13378280);
        assert_non_null(strstr(model->options, "aux=1"));
        assert_string_equal(
            model->source,
            v1 ? "BVLC GoogLeNet, caffemodel (V1 layers), with both auxiliary heads"
               : "BVLC GoogLeNet, caffemodel (layer form), with both auxiliary heads");
        dp_model_free(model);
    }
}

/* One head gone, or one of its blobs of another shape: the rest is taken without heads, and said
 * so. A blob of doubles on the way. */
static void heads_in_part(void **state) {
    for (int k = 0; k < 2; k++) {
        weights_file *m = googlenet();
        size_t fc = layer_of(m, "loss2/fc"), stem = layer_of(m, "conv1/7x7_s2");
        if (k) {
            m->blobs[fc][0].shape->dim[0] /= 2;
            m->blobs[fc][0].shape->dim[1] *= 2;
        }
        Caffe__BlobProto *bias = &m->blobs[stem][1];
        bias->n_double_data = bias->n_data;
        bias->n_data = 0;
        bias->double_data = malloc(bias->n_double_data * sizeof(double));
        for (size_t i = 0; i < bias->n_double_data; i++)
            bias->double_data[i] = (double)bias->data[i];
        dp_model *model = NULL;
        deeper_error error;
        if (open_weights(m, false, k ? NULL : "loss1/", &model, &error) != DEEPER_OK)
            fail_msg("%s", error.message);
        weights_free(m);
        check_values(model);
        assert_int_equal(parameters_of(model), 6998552);
        assert_non_null(strstr(model->source, "auxiliary heads left out, for they are not whole"));
        dp_model_free(model);
    }
}

static void rename_layer(weights_file *m, const char *from, const char *to) {
    size_t layer = layer_of(m, from);
    snprintf(m->names[layer], sizeof m->names[layer], "%s", to);
}

/* Classifiers that fine-tuning renamed, each told by the layer before it: the values are theirs,
 * the labels are not. */
static void renamed_classifiers(void **state) {
    for (int v1 = 0; v1 < 2; v1++) {
        weights_file *m = googlenet();
        rename_layer(m, "loss1/classifier", "loss1/classifier_cars");
        rename_layer(m, "loss2/classifier", "aux");
        rename_layer(m, "loss3/classifier", "categories_loss3/classifier");
        dp_model *model = NULL;
        deeper_error error;
        if (open_weights(m, v1, NULL, &model, &error) != DEEPER_OK)
            fail_msg("%s", error.message);
        check_values(model);
        assert_int_equal(parameters_of(model), 13378280);
        assert_non_null(strstr(model->source, "last layer categories_loss3/classifier, with both"));
        assert_int_equal(model->labels.count, 0);
        assert_true(model->has_preprocess);
        dp_model_free(model);
        weights_free(m);
    }
}

/* The other networks that were published, with the preprocessing of each. Few classes keep the
 * linear layers' files small: those of VGG-16 would be half a gigabyte, so that network is tested
 * by its differences alone (others_refused). */
static void other_networks(void **state) {
    static const struct {
        const char *spec;
        int classes, size;
        const char *layers[2]; /* without blobs, in this order */
        const char *options, *source;
        float first_mean;
        int side;
    } cases[] = {
        { "nin",
          1000,
          224,
          { "pool0" },
          "form=imagenet",
          "Network in Network (nin_imagenet), caffemodel (layer form)",
          104,
          256 },
        { "nin",
          20,
          224,
          { "pool0" },
          "form=imagenet",
          "Network in Network (nin_imagenet), caffemodel (layer form)",
          104,
          256 },
        { "alexnet",
          2,
          227,
          { "norm1", "pool1" },
          "form=grouped",
          "BVLC AlexNet, caffemodel (layer form)",
          104,
          256 },
        { "alexnet",
          2,
          227,
          { NULL },
          "form=grouped",
          "BVLC AlexNet, caffemodel (layer form)",
          104,
          256 },
        { "alexnet",
          2,
          227,
          { "pool1", "norm1" },
          "form=caffenet",
          "BVLC CaffeNet, caffemodel (layer form)",
          104,
          256 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weights_file *m = weights_of(cases[i].spec, cases[i].classes, cases[i].size);
        for (int j = 0; j < 2 && cases[i].layers[j]; j++)
            add_layer(m, cases[i].layers[j]);
        dp_model *model = NULL;
        deeper_error error;
        if (open_weights(m, false, NULL, &model, &error) != DEEPER_OK)
            fail_msg("%s", error.message);
        weights_free(m);
        check_values(model);
        assert_string_equal(model->architecture, cases[i].spec);
        assert_string_equal(model->source, cases[i].source);
        assert_non_null(strstr(model->options, cases[i].options));
        assert_int_equal(model->classes, cases[i].classes);
        assert_int_equal(model->labels.count, cases[i].classes == 1000 ? 1000 : 0);
        const dp_preprocess *p = &model->preprocess;
        assert_true(model->has_preprocess && p->bgr && p->size == cases[i].size
                    && p->side == cases[i].side);
        assert_true(p->mean[0] == cases[i].first_mean && p->rule == DP_RESIZE_SQUASH);
        assert_int_equal(dp_preprocess_check(p, NULL), DEEPER_OK);
        dp_model_free(model);
    }
}

/* -------------------------------------------------------------------------------- refused files */

static void refused(weights_file *m, bool v1, const char *without, deeper_status wanted,
                    const char *words) {
    dp_model *model;
    deeper_error error;
    deeper_status status = open_weights(m, v1, without, &model, &error);
    assert_null(model);
    if (status != wanted || !strstr(error.message, words)
        || strncmp(error.message, "x.caffemodel: ", 14) != 0)
        fail_msg("\"%s\" wanted, %d found: %s", words, status, error.message);
}

static void differences(void **state) {
    weights_file *m = googlenet();
    refused(m, false, "inception_3a/1x1", DEEPER_ERROR_MISMATCH,
            "not the weights of googlenet: 2 tensors missing (first inception_3a/1x1.weight "
            "64x192x1x1)");
    const int64_t one[] = { 1 };
    add_blob(m, "extra", 0, one, 1, "extra");
    Caffe__BlobProto *stem = &m->blobs[layer_of(m, "conv1/7x7_s2")][0];
    stem->shape->dim[2] = 49;
    stem->shape->dim[3] = 1;
    refused(m, true, NULL, DEEPER_ERROR_MISMATCH,
            "googlenet: 1 unknown (first extra.weight 1), 1 of other shape (conv1/7x7_s2.weight: "
            "64x3x7x7 wanted, 64x3x49x1 found)");
    weights_free(m);
}

static void another_network(void **state) {
    weights_file *m = calloc(1, sizeof *m);
    const int64_t conv[] = { 20, 1, 5, 5 }, fc[] = { 10, 800 }, bias[] = { 20 };
    add_blob(m, "conv1", 0, conv, 4, "w");
    add_blob(m, "conv1", 1, bias, 1, "b");
    add_blob(m, "ip1", 0, fc, 2, "w");
    for (int v1 = 0; v1 < 2; v1++)
        refused(m, v1, NULL, DEEPER_ERROR_UNSUPPORTED,
                "the weights of no network that is known (BVLC GoogLeNet, VGG-16 "
                "(VGG_ILSVRC_16_layers), Network in Network "
                "(nin_imagenet), BVLC CaffeNet, BVLC AlexNet); 3 tensors, the first conv1.weight "
                "20x1x5x5");
    weights_free(m);
}

/* Layers of a known network that are not all there, in a file that is small for it. */
static void others_refused(void **state) {
    const int64_t conv[] = { 512, 512, 3, 3 }, fc[] = { 3, 4096 };
    weights_file *m = calloc(1, sizeof *m);
    add_blob(m, "conv5_3", 0, conv, 4, "w");
    add_blob(m, "fc8", 0, fc, 2, "w");
    refused(m, false, NULL, DEEPER_ERROR_MISMATCH,
            "not the weights of vgg16: 30 tensors missing (first conv1_1.weight 64x3x3x3)");
    weights_free(m);
}

static void twice(void **state) {
    weights_file *m = googlenet();
    size_t at = layer_of(m, "inception_3a/3x3");
    snprintf(m->names[at], sizeof m->names[at], "inception_3a/1x1");
    refused(m, false, NULL, DEEPER_ERROR_FORMAT, "two tensors are named inception_3a/1x1.weight");
    weights_free(m);
}

static void bad_blobs(void **state) {
    static const struct {
        int64_t dims[4];
        size_t rank;
        const char *words;
    } cases[] = {
        { { -1 }, 1, "layer a: blob 0 has a shape that cannot be" },
        { { 4, 5 }, 2, "layer a: blob 0 has 6 values for a shape of 4x5" },
        { { 0 }, 0, "layer a: blob 0 has 6 values for a shape of one number" },
        { { INT64_MAX, 2, 2, 2 }, 4, "cannot be" },
        { { 1, 1, INT64_MIN, 1 }, 4, "cannot be" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weights_file *m = calloc(1, sizeof *m);
        const int64_t six[] = { 6 };
        Caffe__BlobProto *blob = add_blob(m, "a", 0, six, 1, "a");
        memcpy(blob->shape->dim, cases[i].dims, sizeof cases[i].dims);
        blob->shape->n_dim = cases[i].rank;
        refused(m, i % 2, NULL, DEEPER_ERROR_FORMAT, cases[i].words);
        weights_free(m);
    }
    weights_file *m = calloc(1, sizeof *m);
    const int64_t six[] = { 6 };
    Caffe__BlobProto *blob = add_blob(m, "a", 0, six, 1, "a");
    blob->shape = NULL; /* and no older numbers */
    refused(m, false, NULL, DEEPER_ERROR_FORMAT, "6 values for a shape of 0x0x0x0");
    blob->has_num = 1;
    blob->num = -3;
    refused(m, false, NULL, DEEPER_ERROR_FORMAT, "cannot be");
    int64_t nine[] = { 2, 1, 1, 1, 1, 1, 1, 1, 3 };
    Caffe__BlobShape long_shape = CAFFE__BLOB_SHAPE__INIT;
    long_shape.n_dim = 9;
    long_shape.dim = nine;
    blob->shape = &long_shape;
    refused(m, false, NULL, DEEPER_ERROR_FORMAT, "cannot be");
    weights_free(m);
}

static deeper_status parse(const void *bytes, size_t size, deeper_error *error) {
    dp_caffemodel file;
    *error = (deeper_error){ 0 };
    deeper_status status = dp_caffemodel_parse(&file, bytes, size, "x", NULL, error);
    dp_caffemodel_free(&file);
    return status;
}

static void hostile(void **state) {
    deeper_error error;
    assert_int_equal(parse("", 0, &error), DEEPER_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "no layer with weights"));
    assert_int_equal(parse("\xa2\x06\xff\xff\xff\xff\x7f", 7, &error),
                     DEEPER_ERROR_FORMAT); /* 34 GB of layer */
    assert_non_null(strstr(error.message, "not a sound caffemodel"));

    /* Three bytes a layer, each a hundred of memory. */
    size_t layers = 1 << 20;
    unsigned char *bytes = malloc(3 * layers);
    for (size_t i = 0; i < layers; i++)
        memcpy(bytes + 3 * i, "\xa2\x06", 3);
    assert_int_equal(parse(bytes, 3 * layers, &error), DEEPER_ERROR_LIMIT);
    assert_non_null(strstr(error.message, "bytes of memory"));

    /* Nine blobs in a layer; a name of 321 bytes. */
    unsigned char many[2 + 1 + 2 * 9] = { 0xa2, 0x06, 2 * 9 };
    for (size_t i = 0; i < 9; i++)
        many[3 + 2 * i] = 0x3a;
    assert_int_equal(parse(many, sizeof many, &error), DEEPER_ERROR_LIMIT);
    assert_non_null(strstr(error.message, "9 blobs"));
    unsigned char *next = bytes;
    const unsigned char front[] = { 0xa2, 0x06, 0xc4, 0x02, 0x0a, 0xc1, 0x02 };
    memcpy(next, front, sizeof front);
    memset(next + sizeof front, 'n', 321);
    assert_int_equal(parse(bytes, sizeof front + 321, &error), DEEPER_ERROR_LIMIT);
    assert_non_null(strstr(error.message, "a name of 321 bytes"));
    free(bytes);
}

/* Every prefix is read without a step past its end, and gives a model to none. */
static void every_cut(void **state) {
    weights_file *m = calloc(1, sizeof *m);
    const int64_t conv[] = { 2, 1, 2, 2 }, bias[] = { 2 };
    add_blob(m, "conv1", 0, conv, 4, "w");
    add_blob(m, "conv1", 1, bias, 1, "b");
    for (int v1 = 0; v1 < 2; v1++) {
        size_t size;
        unsigned char *bytes = pack(m, v1, NULL, &size);
        for (size_t cut = 0; cut <= size; cut++) {
            unsigned char *part = malloc(cut ? cut : 1);
            memcpy(part, bytes, cut);
            dp_model *model;
            deeper_error error = { 0 };
            deeper_status status = dp_caffemodel_open(&model, part, cut, "x", NULL, &error);
            assert_int_equal(status, cut == size ? DEEPER_ERROR_UNSUPPORTED : DEEPER_ERROR_FORMAT);
            assert_null(model);
            free(part);
        }
        free(bytes);
    }
    weights_free(m);
}

static void allocations_fail(void **state) {
    weights_file *m = googlenet();
    size_t size;
    unsigned char *bytes = pack(m, false, "loss1/", &size);
    weights_free(m);
    long calls = 0;
    /* All calls around the edges of the phases and every 37th between: thousands there are, each
     * over 40 MB. */
    for (long n = 1, done = 0; !done; n += n < 8 || (calls && n > calls - 8) ? 1 : 37) {
        dp_model *model = NULL;
        deeper_error error = { 0 };
        test_failing_allocator failing;
        test_failing_allocator_init(&failing, calls ? n : 0);
        deeper_status status =
            dp_caffemodel_open(&model, bytes, size, "x", &failing.allocator, &error);
        done = calls && failing.calls < n;
        assert_int_equal(status, !calls || done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        dp_model_free(model);
        assert_int_equal(failing.outstanding, 0);
        if (!calls) {
            calls = failing.calls;
            n = 0;
        }
    }
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_file),
        cmocka_unit_test(both_forms_with_heads),
        cmocka_unit_test(heads_in_part),
        cmocka_unit_test(renamed_classifiers),
        cmocka_unit_test(differences),
        cmocka_unit_test(other_networks),
        cmocka_unit_test(others_refused),
        cmocka_unit_test(another_network),
        cmocka_unit_test(twice),
        cmocka_unit_test(bad_blobs),
        cmocka_unit_test(hostile),
        cmocka_unit_test(every_cut),
        cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
