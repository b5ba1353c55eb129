/* seeds_formats.c - seeds for the readers of model files: small sound files of every kind that each
 * reader tells apart.
 *
 *     seeds_formats FOLDER        fills FOLDER/fuzz_safetensors, fuzz_caffemodel, fuzz_model_file,
 *                                 fuzz_recipe, fuzz_labels, fuzz_tuning */
#include "caffemodel.pb-c.h"
#include "formats/caffe/caffemodel.h"
#include "formats/safetensors/safetensors.h"
#include "helpers/seeds.h"
#include "model/fill.h"
#include "model/model.h"
#include "model/preprocess_json.h"
#include "model/recipes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL "googlenet:stem=small,branch5=3x3,width=0.0625"
#define TEXT(text) text, sizeof text - 1

/* ---------------------------------------------------------------------------------- safetensors */

static void containers(void) {
    static const unsigned char data[64] = { 1, 2, 3, 0x3C, 5, 0x80, 0x7F };
    static const dp_text texts[] = { { "format", "pt" },
                                     { "note", "two\nlines, \xEC\xA7\x80, \"quoted\"" } };
    dp_tensor tensors[DP_DTYPE_COUNT + 2];
    for (int i = 0; i < DP_DTYPE_COUNT; i++) {
        tensors[i] = (dp_tensor){
            .name = dp_dtype_name((dp_dtype)i), .dtype = (dp_dtype)i, .rank = i % 4, .data = data
        };
        size_t elements = 1;
        for (int d = 0; d < i % 4; d++)
            elements *= tensors[i].shape[d] = (size_t)(d + 1);
        tensors[i].bytes = elements * dp_dtype_bytes((dp_dtype)i);
    }
    tensors[DP_DTYPE_COUNT] = (dp_tensor){ .name = "empty", .rank = 1, .data = data };
    tensors[DP_DTYPE_COUNT + 1] = (dp_tensor){
        .name = "eight", .rank = 8, .shape = { 1, 1, 1, 1, 1, 1, 1, 2 }, .data = data, .bytes = 8
    };
    for (size_t count = 0; count <= DP_DTYPE_COUNT + 2; count += count < 3 ? 1 : 7) {
        char path[4096];
        deeper_error error;
        seeds_path(path);
        if (dp_safetensors_write(path, tensors, count, texts, count % 3, NULL, &error) != DEEPER_OK)
            seeds_fail(path, error.message);
    }
    static const struct {
        const char *header;
        size_t size;
    } plain[] = { { TEXT("{}") },
                  { TEXT("{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]},\"a\":{"
                         "\"dtype\":\"BOOL\",\"shape\":[],"
                         "\"data_offsets\":[0,1]}}    ") } };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        char bytes[256] = { (char)plain[i].size };
        memcpy(bytes + 8, plain[i].header, plain[i].size);
        seeds_save(bytes, 8 + plain[i].size + 3 * i);
    }
}

/* ----------------------------------------------------------------------------------- caffemodel */

enum { LAYERS = 4 };

/* A network of LAYERS layers with these names, weights in the newer shape, the older one, as
 * doubles, and none at all. */
static void save_caffemodel(const char *const names[LAYERS], bool v1) {
    static float data[] = { 1, 2, 3, 4, 5, 6 };
    static double double_data[] = { 1, 2, 3, 4, 5, 6 };
    static int64_t dims[] = { 1, 3, 2, 1 };
    Caffe__BlobShape shape = CAFFE__BLOB_SHAPE__INIT;
    shape.dim = dims;
    shape.n_dim = 4;
    Caffe__BlobProto newer = CAFFE__BLOB_PROTO__INIT, older = CAFFE__BLOB_PROTO__INIT,
                     doubles = CAFFE__BLOB_PROTO__INIT;
    newer.data = older.data = data;
    newer.n_data = older.n_data = doubles.n_double_data = 6;
    doubles.double_data = double_data;
    newer.shape = doubles.shape = &shape;
    older.has_num = older.has_channels = older.has_height = older.has_width = 1;
    older.num = older.channels = 1;
    older.height = 2;
    older.width = 3;
    Caffe__BlobProto *blobs[] = { &newer, &older, &doubles };

    Caffe__NetParameter net = CAFFE__NET_PARAMETER__INIT;
    Caffe__V1LayerParameter v1_layers[LAYERS], *v1_list[LAYERS];
    Caffe__LayerParameter layers[LAYERS], *list[LAYERS];
    for (int i = 0; i < LAYERS; i++) {
        caffe__v1_layer_parameter__init(v1_list[i] = &v1_layers[i]);
        caffe__layer_parameter__init(list[i] = &layers[i]);
        v1_layers[i].name = layers[i].name = (char *)names[i];
        v1_layers[i].blobs = layers[i].blobs = blobs;
        v1_layers[i].n_blobs = layers[i].n_blobs = (size_t)(3 - i);
    }
    net.layers = v1 ? v1_list : NULL;
    net.layer = v1 ? NULL : list;
    net.n_layers = v1 ? LAYERS : 0;
    net.n_layer = v1 ? 0 : LAYERS;
    uint8_t bytes[1024];
    if (caffe__net_parameter__get_packed_size(&net) > sizeof bytes)
        seeds_fail("seed", "too small a buffer");
    seeds_save(bytes, caffe__net_parameter__pack(&net, bytes));
}

/* What deeper wrote: the statistics of a batch norm, and the texts that say which network it is. */
static void save_ours(void) {
    static const char *const pairs[][2] = { { "deeper.version", "1" },
                                            { "deeper.architecture", "googlenet" },
                                            { "deeper.options", "norm=bn,stem=small,width=0.0625" },
                                            { "deeper.classes", "3" },
                                            { "deeper.preprocess",
                                              "{\"size\":32,\"channels\":3}" } };
    enum { TEXTS = sizeof pairs / sizeof *pairs };
    static float values[] = { 1, 2, 3 };
    static int64_t one = 1, three = 3;
    Caffe__BlobShape shapes[2] = { CAFFE__BLOB_SHAPE__INIT, CAFFE__BLOB_SHAPE__INIT };
    Caffe__BlobProto of_three = CAFFE__BLOB_PROTO__INIT, of_one = CAFFE__BLOB_PROTO__INIT;
    Caffe__BlobProto *blobs[] = { &of_three, &of_three, &of_one };
    Caffe__LayerParameter layer = CAFFE__LAYER_PARAMETER__INIT, *layers[] = { &layer };
    Caffe__NetParameter net = CAFFE__NET_PARAMETER__INIT;
    Caffe__Text texts[TEXTS], *list[TEXTS];
    uint8_t bytes[1024];
    shapes[0].dim = &three;
    shapes[1].dim = &one;
    shapes[0].n_dim = shapes[1].n_dim = 1;
    of_three.shape = &shapes[0];
    of_one.shape = &shapes[1];
    of_three.data = of_one.data = values;
    of_three.n_data = 3;
    of_one.n_data = 1;
    layer.name = (char *)"conv1/3x3_s1/bn" DP_CAFFE_STATISTICS;
    layer.blobs = blobs;
    layer.n_blobs = 3;
    for (int i = 0; i < TEXTS; i++) {
        caffe__text__init(list[i] = &texts[i]);
        texts[i].key = (char *)pairs[i][0];
        texts[i].text = (char *)pairs[i][1];
    }
    net.layer = layers;
    net.n_layer = 1;
    net.deeper = list;
    net.n_deeper = TEXTS;
    if (caffe__net_parameter__get_packed_size(&net) > sizeof bytes)
        seeds_fail("seed", "too small a buffer");
    seeds_save(bytes, caffe__net_parameter__pack(&net, bytes));
}

static void caffemodels(void) {
    static const char *const other[LAYERS] = { "conv1", "ip1", "ip2", "prob" };
    static const char *const heads[LAYERS] = { "conv1/7x7_s2", "loss1/fc", "loss2/conv", NULL };
    for (int v1 = 0; v1 < 2; v1++) {
        save_caffemodel(other, v1);
        save_caffemodel(heads, v1);
    }
    save_ours();
    /* A name, an unknown field of each wire type, floats one by one. */
    seeds_save(TEXT("\x0a\x03net\x18\x07\x25\0\0\x80?\x29\0\0\0\0\0\0\xf0?\xa2\x06\x10\x0a\x01z:"
                    "\x0b\x0a\0*\0-\0\0\x80?\x08\x01"));
}

/* ---------------------------------------------------------------------------------- model files */

#define SIZE "\"size\":32,\"channels\":3"
#define RULE SIZE ",\"order\":\"RGB\",\"mean\":[1,2,3],\"scale\":[1,1,1]"

/* The header of a model file of the smallest network, F32 or F16, as fuzz_model_file wants it. A
 * text of `instead` (ends at the first without a key) takes the place of ours, or is one more. */
static void save_header(const char *spec, bool half, const char *preprocess, const char *labels,
                        const dp_text *instead) {
    dp_model *model = NULL;
    deeper_error error;
    if (dp_model_create(&model, spec, 3, 32, NULL, &error) != DEEPER_OK
        || dp_model_allocate(model, &error) != DEEPER_OK)
        seeds_fail(spec, error.message);
    size_t count = 0, parameters = (size_t)model->graph->parameters;
    dp_tensor *tensors = calloc(parameters, sizeof *tensors);
    if (!tensors)
        seeds_fail(spec, "out of memory");
    for (int i = 0; i < model->graph->count; i++) {
        if (model->graph->nodes[i].parameter < 0)
            continue;
        dp_tensor *tensor = &tensors[count];
        dp_parameter_tensor(model->graph, i, tensor);
        tensor->data = memset(model->arena, 0, tensor->bytes);
        tensor->dtype = half ? DP_DTYPE_F16 : DP_DTYPE_F32;
        tensor->bytes /= half ? 2 : 1;
        count++;
    }
    dp_text texts[12] = { { "deeper.version", "1" },
                          { "deeper.architecture", model->architecture },
                          { "deeper.options", model->options },
                          { "deeper.classes", "3" },
                          { "deeper.preprocess", preprocess },
                          { "deeper.source", "a seed" },
                          { "deeper.training", "{}" },
                          { "deeper.labels", labels } };
    size_t texts_used = labels ? 8 : 7;
    for (; instead && instead->key; instead++) {
        size_t i = 0;
        while (i < texts_used && strcmp(texts[i].key, instead->key) != 0)
            i++;
        texts[i] = *instead;
        texts_used += i == texts_used;
    }
    char path[4096];
    seeds_path(path);
    if (dp_safetensors_write(path, tensors, count, texts, texts_used, NULL, &error) != DEEPER_OK)
        seeds_fail(path, error.message);
    free(tensors);
    dp_model_free(model);

    /* The file that was written gives its header, and is replaced by it. */
    FILE *file = fopen(path, "rb");
    uint8_t prefix[8];
    if (!file || fread(prefix, 1, 8, file) != 8)
        seeds_fail(path, "cannot be read back");
    size_t size = prefix[0] | (size_t)prefix[1] << 8 | (size_t)prefix[2] << 16;
    char *header = malloc(size);
    if (!header || fread(header, 1, size, file) != size)
        seeds_fail(path, "cannot be read back");
    if (!freopen(path, "wb", file))
        seeds_fail(path, "cannot be written");
    fputc(half ? '0' : '1', file);
    fwrite(header, 1, size, file);
    seeds_end(file);
    free(header);
}

static void model_files(void) {
    static const char labels[] =
        "[[\"n01\",\"tench, Tinca tinca\"],[\"n02\",\"\xEC\xA7\x80\"],[\"n03\",\"c\"]]";
    static const char *const specs[] = { SMALL, SMALL, SMALL, SMALL ",norm=none", SMALL };
    static const dp_preprocess rules[] = {
        { 32, 3, false, { 0 }, { 0 }, DP_RESIZE_SHORT, 0, DP_FILTER_NEAREST }, /* size and channels
                                                                                  alone */
        { 32, 3, true, { 104, 117, 123 }, { 1, 1, 1 }, DP_RESIZE_SQUASH, 40, DP_FILTER_BILINEAR },
        { 32,
          3,
          false,
          { 0.5F, 0.25F, 1e-9F },
          { 2, 1, 3e9F },
          DP_RESIZE_SHORT,
          36,
          DP_FILTER_BICUBIC },
        { 32, 3, false, { 1, 2, 3 }, { 1, 1, 1 }, DP_RESIZE_NONE, 0, DP_FILTER_AREA },
        { 32,
          1,
          false,
          { 1 },
          { 1 },
          DP_RESIZE_SHORT,
          32,
          DP_FILTER_NEAREST }, /* a network of three is refused */
    };
    static const char *const broken[] = {
        "[]",
        "{\"size\":32,\"channels\":2}",
        "{" SIZE ",\"order\":\"RGB\",\"mean\":[1,2,3],\"scale\":[1]}",
        "{" RULE ",\"resize\":{\"rule\":\"none\"}}",
        "{" RULE ",\"resize\":{\"rule\":\"short\",\"filter\":\"area\"}}",
        "{" RULE ",\"resize\":{\"rule\":\"none\",\"filter\":\"area\"},\"crop\":\"\"}",
    };
#define GRAPH(classes)                                                                             \
    "{\"nodes\":[{\"op\":\"input\",\"name\":\"data\",\"shape\":[" classes ",32,32]},"              \
    "{\"op\":\"global_average\",\"name\":\"mean\",\"inputs\":[0]},"                                \
    "{\"op\":\"softmax\",\"name\":\"prob\",\"inputs\":[1]}]}"
    static const dp_text instead[][3] = {
        { { "deeper.version", "2" } },
        { { "deeper.classes", "0" } },
        { { "deeper.source", "two\nlines" } },
        { { "deeper.labels", "[[\"n01\",\"tench\"]]" } },
        { { "deeper.progress", "{}" } },
        { { "deeper.options", "norm=nosuch" } },
        { { "deeper.options", "stem=small,branch5=3x3,width=0.125" } },
        { { "deeper.architecture", "nin" }, { "deeper.options", "form=cifar" } },
        { { "deeper.architecture", "graph" } },
        { { "deeper.architecture", "graph" }, { "deeper.graph", GRAPH("3") } },
        { { "deeper.architecture", "graph" }, { "deeper.graph", GRAPH("1") } },
        { { "deeper.architecture", "graph" }, { "deeper.graph", "{\"nodes\":[]}" } },
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        save_header(SMALL, true, broken[i], NULL, NULL);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        char *preprocess = dp_preprocess_to_json(&rules[i], i > 0);
        if (!preprocess)
            seeds_fail("seed", "out of memory");
        save_header(specs[i], i % 2, preprocess, i % 2 ? labels : NULL, NULL);
        free(preprocess);
    }
    save_header(SMALL ",aux=1", true, "{" SIZE "}", NULL, NULL);
    for (size_t i = 0; i < sizeof instead / sizeof *instead; i++)
        save_header(SMALL, true, "{" SIZE "}", NULL, instead[i]);
}

/* Every name, and the JSON of what each is; some that a network of three or of one channel
 * refuses. */
static void recipes(void) {
    const dp_recipe *recipe;
    for (size_t i = 0; (recipe = dp_recipe_at(i)) != NULL; i++) {
        dp_preprocess rule;
        for (int channels = recipe->grey ? 1 : 3; channels <= 3; channels += 2) {
            dp_recipe_apply(&rule, recipe, 32, channels);
            char *json = dp_preprocess_to_json(&rule, true);
            if (!json)
                seeds_fail("seed", "out of memory");
            seeds_save_after(channels == 3 ? '1' : '0', json, strlen(json));
            free(json);
        }
        seeds_save_after('1', recipe->name, strlen(recipe->name));
        seeds_save_after('0', recipe->name, strlen(recipe->name));
    }
    seeds_save_after('1', TEXT("{" SIZE "}"));
    seeds_save_after('1', TEXT("{\"size\":31,\"channels\":3}"));
    seeds_save_after('1', TEXT("nosuch"));
}

static void label_tables(void) {
    seeds_save_after('0', TEXT("n01440764 tench, Tinca tinca\nn01443537 goldfish\n"));
    seeds_save_after('0', TEXT("daisy\r\nrose\r\n\xEC\xA7\x80 \xEC\xA7\x80"));
    seeds_save_after('1', TEXT("[[\"n01\",\"tench, Tinca tinca\"],[\"n02\",\"\xEC\xA7\x80\"]]"));
    seeds_save_after('1', TEXT("[ [\"a\", \"\\u00e9\\\\\"] ]"));
    seeds_save_after('1', TEXT("[[\"a\",\"b\"],[\"a\",\"c\"]]"));
}

/* Of the machine "here", sound and nearly so. */
static void tunings(void) {
    static const char *const convolutions[] = {
        "",
        "{\"isa\": \"portable\", \"precision\": \"fp32\", \"channels\": 8, \"outputs\": 16, "
        "\"height\": 14, \"width\": 7, "
        "\"taps\": 3, \"phases\": 1, \"points\": 4, \"even\": true, \"panel\": 2}",
        "{\"isa\": \"avx512\", \"precision\": \"fp32\", \"channels\": 12, \"outputs\": 64, "
        "\"height\": 112, \"width\": 112, "
        "\"taps\": 4, \"phases\": 2, \"points\": 8, \"even\": true, \"panel\": 2},"
        "{\"isa\": \"neon\", \"precision\": \"fp32\", \"channels\": 12, \"outputs\": 64, "
        "\"height\": 112, \"width\": 112, "
        "\"taps\": 4, \"phases\": 2, \"points\": 0, \"even\": false, \"panel\": 1}",
        "{\"isa\": \"avx2\", \"precision\": \"fp32\", \"channels\": 1, \"outputs\": 1, \"height\": "
        "1048576, \"width\": 1, "
        "\"taps\": 5, \"phases\": 1, \"points\": 9, \"even\": false, \"panel\": 4}",
    };
    char text[2048];
    for (size_t i = 0; i < sizeof convolutions / sizeof *convolutions; i++) {
        int size = snprintf(text, sizeof text,
                            "{\"deeper_tuning\": 1, \"machine\": \"here\", \"convolutions\": [%s]}",
                            convolutions[i]);
        seeds_save(text, (size_t)size);
    }
    seeds_save(TEXT("{\"deeper_tuning\": 2}"));
    seeds_save(TEXT("{\"deeper_tuning\": 1, \"machine\": \"there\"}"));
}

int main(int argc, char **argv) {
    seeds_open(argc, argv);
    seeds_begin("fuzz_safetensors");
    containers();
    seeds_begin("fuzz_caffemodel");
    caffemodels();
    seeds_begin("fuzz_model_file");
    model_files();
    seeds_begin("fuzz_recipe");
    recipes();
    seeds_begin("fuzz_labels");
    label_tables();
    seeds_begin("fuzz_tuning");
    tunings();
    return 0;
}
