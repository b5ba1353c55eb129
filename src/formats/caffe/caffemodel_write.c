/* caffemodel_write.c - a model as Caffe's two files: OUT.caffemodel, layers and weights in binary,
 * and OUT.prototxt beside it, the deploy form without auxiliary heads and weights, in text. Both
 * come from one message (caffe_layers.c). */
#include "base/files.h"
#include "formats/caffe/caffemodel.h"
#include "formats/formats.h"

#include "formats/caffe/caffe_layers.h"
#include "formats/caffe/protobuf_text.h"
#include "model/description.h"

#include <limits.h>
#include <string.h>

enum { TEXT_LIMIT = 16 << 20 }; /* bytes of a prototxt */

/* --------------------------------------------------------------------------------------- deploy */

/* What a reader of pixels must know, in comments: Caffe's format has no place for it. */
static void print_comments(dp_buffer *text, const dp_model *model) {
    char rule[256] = "not known";
    if (model->has_preprocess)
        dp_preprocess_describe(&model->preprocess, rule, sizeof rule);
    dp_buffer_printf(text, "# %s (%s), %d classes, written by deeper\n# pictures: %s\n",
                     model->architecture, model->options, model->classes, rule);
}

/* The layers that the class probabilities need. */
static deeper_status deploy_text(dp_buffer *text, const dp_model *model, const dp_caffe_net *net,
                                 const char *path, deeper_error *error) {
    int prob = dp_graph_find(model->graph, "prob");
    bool *needed = dp_alloc(model->allocator, (size_t)model->graph->count, sizeof *needed);
    Caffe__LayerParameter **layers = dp_alloc(model->allocator, net->count, sizeof(void *));
    deeper_status status = DEEPER_OK;
    if (needed && layers && prob >= 0) {
        Caffe__NetParameter message = CAFFE__NET_PARAMETER__INIT;
        dp_graph_needed(model->graph, &prob, 1, needed);
        message.name = model->architecture;
        message.layer = layers;
        for (size_t i = 0; i < net->count; i++)
            if (needed[net->nodes[i]])
                layers[message.n_layer++] = net->layers[i];
        print_comments(text, model);
        dp_protobuf_text(text, &message.base, "blobs");
        if (text->failed)
            status = dp_fail_memory(error, "the text of a prototxt");
    } else {
        status = prob < 0 ? dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
                                    "%s: not written: the network has no layer \"prob\"", path)
                          : dp_fail_memory(error, "the layers of a prototxt");
    }
    dp_free(model->allocator, layers);
    dp_free(model->allocator, needed);
    return status;
}

/* --------------------------------------------------------------------------------------- binary */

/* protobuf-c's stream into a file: weights go from where they lie to the writer. */
typedef struct stream {
    ProtobufCBuffer base;
    dp_writer *writer;
} stream;

static void put(ProtobufCBuffer *buffer, size_t size, const uint8_t *bytes) {
    dp_writer_put(((stream *)buffer)->writer, bytes, size);
}

static deeper_status pack(const Caffe__NetParameter *message, dp_writer *writer, const char *path,
                          deeper_error *error) {
    size_t size = caffe__net_parameter__get_packed_size(message);
    if (size > INT_MAX)
        return dp_fail(
            error, DEEPER_ERROR_LIMIT,
            "%s: not written: it would take %zu bytes, and readers of the format take %d", path,
            size, INT_MAX);
    stream out = { { put }, writer };
    caffe__net_parameter__pack_to_buffer(message, &out.base);
    return DEEPER_OK;
}

/* Layers, weights, and what only deeper knows. */
static deeper_status put_binary(dp_writer *writer, const dp_model *model, const dp_caffe_net *net,
                                const char *path, deeper_error *error) {
    dp_description description;
    Caffe__Text texts[DP_DESCRIPTION_TEXTS], *list[DP_DESCRIPTION_TEXTS];
    Caffe__NetParameter message = CAFFE__NET_PARAMETER__INIT;
    DP_TRY(dp_description_make(&description, model, error));
    deeper_status status =
        net->heads_left_out ? dp_description_drop_heads(&description, error) : DEEPER_OK;
    for (size_t i = 0; i < description.count; i++) {
        caffe__text__init(&texts[i]);
        texts[i].key = (char *)(uintptr_t)description.texts[i].key;
        texts[i].text = (char *)(uintptr_t)description.texts[i].text;
        list[i] = &texts[i];
    }
    message.name = model->architecture;
    message.layer = net->layers;
    message.n_layer = net->count;
    message.deeper = list;
    message.n_deeper = description.count;
    if (status == DEEPER_OK)
        status = pack(&message, writer, path, error);
    dp_description_free(&description);
    return status;
}

/* ---------------------------------------------------------------------------------------- files */

/* OUT.prototxt of OUT.caffemodel; NULL if memory is out. */
static char *text_path(const dp_model *model, const char *path) {
    static const char ending[] = ".prototxt";
    const char *dot = strrchr(path, '.');
    size_t stem = dot ? (size_t)(dot - path) : strlen(path);
    char *joined = dp_alloc_raw(model->allocator, stem + sizeof ending, 1);
    if (joined) {
        memcpy(joined, path, stem);
        memcpy(joined + stem, ending, sizeof ending);
    }
    return joined;
}

/* Both files are complete before either appears. */
static deeper_status write_files(const dp_model *model, const dp_caffe_net *net,
                                 const dp_buffer *text, const char *path, const char *beside,
                                 deeper_error *error) {
    dp_writer *binary = NULL, *deploy = NULL;
    deeper_status status = dp_writer_open(&binary, path, model->allocator, error);
    if (status == DEEPER_OK)
        status = put_binary(binary, model, net, path, error);
    if (status == DEEPER_OK)
        status = dp_writer_open(&deploy, beside, model->allocator, error);
    if (status == DEEPER_OK) {
        dp_writer_put(deploy, text->data, text->size);
        status = dp_writer_commit(binary, error);
        binary = NULL;
    }
    if (status == DEEPER_OK) {
        status = dp_writer_commit(deploy, error);
        deploy = NULL;
    }
    dp_writer_discard(binary);
    dp_writer_discard(deploy);
    return status;
}

deeper_status dp_caffemodel_write(const dp_model *model, const char *path,
                                  const dp_save_options *options, deeper_error *error) {
    dp_caffe_net net;
    DP_TRY(dp_caffe_net_make(&net, model, path, error));
    dp_buffer text;
    dp_buffer_init(&text, model->allocator, TEXT_LIMIT);
    char *beside = text_path(model, path);
    deeper_status status =
        beside ? deploy_text(&text, model, &net, path, error) : dp_fail_memory(error, "a path");
    if (status == DEEPER_OK)
        status = write_files(model, &net, &text, path, beside, error);
    if (options->heads_left_out)
        *options->heads_left_out = net.heads_left_out;
    dp_free(model->allocator, beside);
    dp_buffer_free(&text);
    dp_caffe_net_free(&net);
    return status;
}
