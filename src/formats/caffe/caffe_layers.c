/* caffe_layers.c - from nodes to Caffe's layers: a function an operator in one table. Caffe's rules
 * that matter here:
 *   - padding is the same on both sides; a convolution has floor((H + 2p - R) / s) + 1 outputs, a
 *     pool ceil of it, less one where
 * the last window would begin past the picture and its padding;
 *   - an average pool divides by the part of the window within the padded picture.
 * Letters: H input side, P output side, R window, s stride, p padding before. */
#include "formats/caffe/caffe_layers.h"

#include "base/arithmetic.h"
#include "formats/caffe/caffemodel.h"
#include "model/fill.h"

#include <stdio.h>
#include <string.h>

enum {
    MAX_BLOBS = 3,
    MAX_LAYERS = 3, /* of a node: a pool and its two cuts */
    NAME_SIZE = 320
};

struct dp_caffe_layer {
    Caffe__LayerParameter layer;
    union {
        Caffe__InputParameter input;
        Caffe__ConvolutionParameter convolution;
        Caffe__InnerProductParameter product;
        Caffe__PoolingParameter pool;
        Caffe__LRNParameter lrn;
        Caffe__BatchNormParameter norm;
        Caffe__ScaleParameter scale;
        Caffe__EltwiseParameter eltwise;
        Caffe__ConcatParameter concat;
        Caffe__SliceParameter slice;
        Caffe__DropoutParameter dropout;
    } of;
    Caffe__BlobProto blobs[MAX_BLOBS], *blob_list[MAX_BLOBS];
    Caffe__BlobShape shapes[MAX_BLOBS], *shape_list[1];
    int64_t dims[MAX_BLOBS][4];
    uint32_t number; /* of a list of one */
    char name[NAME_SIZE], uncut[NAME_SIZE],
        left[NAME_SIZE]; /* where they are not the node's: of the layer and of its outputs */
    char *bottom[1], *tops[2];
};

typedef struct builder {
    dp_caffe_net *net;
    const dp_model *model;
    const dp_node *node;
    int index;      /* of the node */
    char **bottoms; /* where the next layer's list begins */
    const char *path;
    deeper_error *error;
} builder;

static deeper_status refuse(const builder *b, const char *why) {
    return dp_fail(b->error, DEEPER_ERROR_UNSUPPORTED,
                   "%s: not written: Caffe has no layer for %s (%s): %s", b->path, b->node->name,
                   dp_op_name(b->node->op), why);
}

static char *text(const char *constant) {
    return (char *)(uintptr_t)constant; /* protobuf-c's texts are not const, but only read */
}

/* A new layer named and with an output like its node. */
static dp_caffe_layer *add(builder *b, const char *type) {
    size_t at = b->net->count++;
    dp_caffe_layer *room = &b->net->rooms[at];
    caffe__layer_parameter__init(&room->layer);
    room->layer.name = b->node->name;
    room->layer.type = text(type);
    room->tops[0] = b->node->name;
    room->layer.top = room->tops;
    room->layer.n_top = 1;
    b->net->layers[at] = &room->layer;
    b->net->nodes[at] = b->index;
    return room;
}

/* The first `count` inputs of the node. */
static void set_bottoms(builder *b, dp_caffe_layer *room, int count) {
    for (int i = 0; i < count; i++)
        b->bottoms[i] = b->model->graph->nodes[b->node->inputs[i]].name;
    room->layer.bottom = b->bottoms;
    room->layer.n_bottom = (size_t)count;
    b->bottoms += count;
}

static dp_caffe_layer *add_simple(builder *b, const char *type) {
    dp_caffe_layer *room = add(b, type);
    set_bottoms(b, room, 1);
    return room;
}

static Caffe__BlobProto *add_blob(dp_caffe_layer *room, const float *values, const size_t *shape,
                                  int rank) {
    size_t at = room->layer.n_blobs++;
    Caffe__BlobProto *blob = &room->blobs[at];
    caffe__blob_proto__init(blob);
    caffe__blob_shape__init(&room->shapes[at]);
    blob->n_data = 1;
    for (int i = 0; i < rank; i++) {
        room->dims[at][i] = (int64_t)shape[i];
        blob->n_data *= shape[i];
    }
    room->shapes[at].dim = room->dims[at];
    room->shapes[at].n_dim = (size_t)rank;
    blob->shape = &room->shapes[at];
    blob->data = (float *)(uintptr_t)values;
    room->blob_list[at] = blob;
    room->layer.blobs = room->blob_list;
    return blob;
}

/* The parameter that input `i` of the node is. A blob has no name but its layer's and its place:
 * another is refused. */
static deeper_status add_parameter(const builder *b, dp_caffe_layer *room, int i) {
    static const char *const suffixes[] = { "", "weight", "bias", "running_mean", "running_var" };
    const dp_node *parameter = &b->model->graph->nodes[b->node->inputs[i]];
    size_t length = strlen(b->node->name);
    dp_tensor tensor;
    if (strncmp(parameter->name, b->node->name, length) != 0 || parameter->name[length] != '.'
        || strcmp(parameter->name + length + 1, suffixes[i]) != 0)
        return refuse(b, "a parameter of it has another name than its own, or another layer's");
    dp_parameter_tensor(b->model->graph, b->node->inputs[i], &tensor);
    add_blob(room, b->model->values[parameter->parameter], tensor.shape, tensor.rank);
    return DEEPER_OK;
}

/* Weights, and a bias if there is one. */
static deeper_status add_weights(const builder *b, dp_caffe_layer *room) {
    for (int i = 1; i < b->node->input_count; i++)
        DP_TRY(add_parameter(b, room, i));
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------------- windows */

static dp_shape input_of(const builder *b) {
    return b->model->graph->nodes[b->node->inputs[0]].shape;
}

/* How many outputs Caffe would have along one side. */
static int caffe_outputs(int side, int window, int stride, int pad, bool up) {
    int room = side + 2 * pad - window;
    if (room < 0)
        return 0;
    int count = (up ? dp_ceil_div(room, stride) : room / stride) + 1;
    return up && pad > 0 && (count - 1) * stride >= side + pad ? count - 1 : count;
}

/* A layer after the last that keeps rows (axis 2) or columns (axis 3) 0..keep-1. */
static void add_cut(builder *b, int axis, int keep) {
    dp_caffe_layer *before = &b->net->rooms[b->net->count - 1], *cut = add(b, "Slice");
    snprintf(before->uncut, sizeof before->uncut, "%s/uncut%d", b->node->name, axis);
    before->tops[0] = before->uncut;
    cut->bottom[0] = before->uncut;
    cut->layer.bottom = cut->bottom;
    cut->layer.n_bottom = 1;
    snprintf(cut->name, sizeof cut->name, "%s/cut%d", b->node->name, axis);
    cut->layer.name = cut->name;
    caffe__slice_parameter__init(&cut->of.slice);
    cut->layer.slice_param = &cut->of.slice;
    cut->number = (uint32_t)keep;
    cut->of.slice.slice_point = &cut->number;
    cut->of.slice.n_slice_point = 1;
    cut->of.slice.has_axis = 1;
    cut->of.slice.axis = axis;
    snprintf(cut->left, sizeof cut->left, "%s/left%d", b->node->name, axis);
    cut->tops[1] = cut->left;
    cut->layer.n_top = 2;
}

/* Cuts what Caffe computes too much of, and refuses where it computes too little. */
static deeper_status fit(builder *b, const dp_window *w, bool up) {
    dp_shape in = input_of(b), out = b->node->shape;
    int rows = caffe_outputs(in.h, w->height, w->stride_y, w->pads.top, up);
    int columns = caffe_outputs(in.w, w->width, w->stride_x, w->pads.left, up);
    if (rows < out.h || columns < out.w)
        return refuse(b, "it pads more after the picture than before it");
    if (rows > out.h)
        add_cut(b, 2, out.h);
    if (columns > out.w)
        add_cut(b, 3, out.w);
    return DEEPER_OK;
}

static deeper_status convolution(builder *b) {
    const dp_window *w = &b->node->attributes.window;
    dp_caffe_layer *room = add_simple(b, "Convolution");
    Caffe__ConvolutionParameter *of = &room->of.convolution;
    caffe__convolution_parameter__init(of);
    room->layer.convolution_param = of;
    of->has_num_output = of->has_bias_term = of->has_group = 1;
    of->has_kernel_h = of->has_kernel_w = of->has_stride_h = of->has_stride_w = of->has_pad_h =
        of->has_pad_w = 1;
    of->num_output = (uint32_t)b->node->shape.c;
    of->bias_term = b->node->input_count > 2;
    of->group = (uint32_t)w->groups;
    of->kernel_h = (uint32_t)w->height;
    of->kernel_w = (uint32_t)w->width;
    of->stride_h = (uint32_t)w->stride_y;
    of->stride_w = (uint32_t)w->stride_x;
    of->pad_h = (uint32_t)w->pads.top;
    of->pad_w = (uint32_t)w->pads.left;
    DP_TRY(add_weights(b, room));
    return fit(b, w, false);
}

static deeper_status fully_connected(builder *b) {
    dp_caffe_layer *room = add_simple(b, "InnerProduct");
    Caffe__InnerProductParameter *of = &room->of.product;
    caffe__inner_product_parameter__init(of);
    room->layer.inner_product_param = of;
    of->has_num_output = of->has_bias_term = 1;
    of->num_output = (uint32_t)b->node->shape.c;
    of->bias_term = b->node->input_count > 2;
    return add_weights(b, room);
}

static Caffe__PoolingParameter *add_pool(builder *b, Caffe__PoolingParameter__PoolMethod method) {
    dp_caffe_layer *room = add_simple(b, "Pooling");
    Caffe__PoolingParameter *of = &room->of.pool;
    caffe__pooling_parameter__init(of);
    room->layer.pooling_param = of;
    of->has_pool = 1;
    of->pool = method;
    return of;
}

static void set_pool_window(Caffe__PoolingParameter *of, const dp_window *w) {
    of->has_kernel_h = of->has_kernel_w = of->has_stride_h = of->has_stride_w = of->has_pad_h =
        of->has_pad_w = 1;
    of->kernel_h = (uint32_t)w->height;
    of->kernel_w = (uint32_t)w->width;
    of->stride_h = (uint32_t)w->stride_y;
    of->stride_w = (uint32_t)w->stride_x;
    of->pad_h = (uint32_t)w->pads.top;
    of->pad_w = (uint32_t)w->pads.left;
}

static deeper_status max_pool(builder *b) {
    set_pool_window(add_pool(b, CAFFE__POOLING_PARAMETER__POOL_METHOD__MAX),
                    &b->node->attributes.window);
    return fit(b, &b->node->attributes.window, true);
}

/* Whether Caffe divides each of the P sums along one side by the same number as we do. */
static bool same_divisors(int side, int outputs, int window, int stride, int pad,
                          bool count_padding) {
    for (int i = 0; i < outputs; i++) {
        int begin = i * stride - pad, end = begin + window;
        int caffe = (end < side + pad ? end : side + pad) - begin;
        int ours = count_padding ? window : dp_min(end, side) - dp_max(begin, 0);
        if (caffe != ours)
            return false;
    }
    return true;
}

static deeper_status global_average(builder *b) {
    Caffe__PoolingParameter *of = add_pool(b, CAFFE__POOLING_PARAMETER__POOL_METHOD__AVE);
    of->has_global_pooling = of->global_pooling = 1;
    return DEEPER_OK;
}

/* Whether the one window of a pool has all of the picture in it, and divides by its pixels. */
static bool is_global(const dp_window *w, dp_shape in, dp_shape out) {
    return out.h == 1 && out.w == 1 && w->height - w->pads.top >= in.h
           && w->width - w->pads.left >= in.w
           && (!w->count_padding || (w->height == in.h && w->width == in.w));
}

static deeper_status average_pool(builder *b) {
    const dp_window *w = &b->node->attributes.window;
    dp_shape in = input_of(b), out = b->node->shape;
    if (is_global(w, in, out))
        return global_average(b);
    set_pool_window(add_pool(b, CAFFE__POOLING_PARAMETER__POOL_METHOD__AVE), w);
    if (!same_divisors(in.h, out.h, w->height, w->stride_y, w->pads.top, w->count_padding)
        || !same_divisors(in.w, out.w, w->width, w->stride_x, w->pads.left, w->count_padding))
        return refuse(b, "it counts other pixels at the border");
    return fit(b, w, true);
}

/* Where the output's sides divide the input's it is a plain pool. */
static deeper_status adaptive_pool(builder *b) {
    dp_shape in = input_of(b), out = b->node->shape;
    if (in.h % out.h || in.w % out.w)
        return refuse(b, "its windows are not all of one size");
    dp_window window = { .height = in.h / out.h,
                         .width = in.w / out.w,
                         .stride_y = in.h / out.h,
                         .stride_x = in.w / out.w };
    set_pool_window(add_pool(b, CAFFE__POOLING_PARAMETER__POOL_METHOD__AVE), &window);
    return DEEPER_OK;
}

/* --------------------------------------------------------------------------------------- others */

static deeper_status picture(builder *b) {
    dp_caffe_layer *room = add(b, "Input");
    dp_shape shape = b->node->shape;
    const int64_t dims[4] = { 1, shape.c, shape.h, shape.w };
    caffe__input_parameter__init(&room->of.input);
    caffe__blob_shape__init(&room->shapes[0]);
    memcpy(room->dims[0], dims, sizeof dims);
    room->shapes[0].dim = room->dims[0];
    room->shapes[0].n_dim = 4;
    room->shape_list[0] = &room->shapes[0];
    room->of.input.shape = room->shape_list;
    room->of.input.n_shape = 1;
    room->layer.input_param = &room->of.input;
    return DEEPER_OK;
}

enum {
    SCALE = 1,
    SHIFT,
    MEAN,
    VARIANCE
}; /* inputs of a batch norm; the first two of an affine node */

static deeper_status add_scale(builder *b, dp_caffe_layer **layer) {
    dp_caffe_layer *scale = *layer = add(b, "Scale");
    caffe__scale_parameter__init(&scale->of.scale);
    scale->layer.scale_param = &scale->of.scale;
    scale->of.scale.has_bias_term = scale->of.scale.bias_term = 1;
    DP_TRY(add_parameter(b, scale, SCALE));
    return add_parameter(b, scale, SHIFT);
}

static deeper_status batch_norm(builder *b) {
    static const float factor = 1;
    static const size_t one = 1;
    dp_caffe_layer *statistics = add_simple(b, "BatchNorm");
    snprintf(statistics->name, sizeof statistics->name, "%s" DP_CAFFE_STATISTICS, b->node->name);
    statistics->layer.name = statistics->tops[0] = statistics->name;
    caffe__batch_norm_parameter__init(&statistics->of.norm);
    statistics->layer.batch_norm_param = &statistics->of.norm;
    statistics->of.norm.has_use_global_stats = statistics->of.norm.use_global_stats = 1;
    statistics->of.norm.has_eps = 1;
    statistics->of.norm.eps = b->node->attributes.epsilon;
    DP_TRY(add_parameter(b, statistics, MEAN));
    DP_TRY(add_parameter(b, statistics, VARIANCE));
    add_blob(statistics, &factor, &one, 1);

    dp_caffe_layer *scale;
    DP_TRY(add_scale(b, &scale));
    scale->bottom[0] = statistics->name;
    scale->layer.bottom = scale->bottom;
    scale->layer.n_bottom = 1;
    return DEEPER_OK;
}

static deeper_status affine(builder *b) {
    dp_caffe_layer *scale;
    DP_TRY(add_scale(b, &scale));
    set_bottoms(b, scale, 1);
    return DEEPER_OK;
}

static deeper_status lrn(builder *b) {
    dp_caffe_layer *room = add_simple(b, "LRN");
    Caffe__LRNParameter *of = &room->of.lrn;
    caffe__lrnparameter__init(of);
    room->layer.lrn_param = of;
    of->has_local_size = of->has_alpha = of->has_beta = of->has_k = 1;
    of->local_size = (uint32_t)b->node->attributes.lrn.size;
    of->alpha = b->node->attributes.lrn.alpha;
    of->beta = b->node->attributes.lrn.beta;
    of->k = b->node->attributes.lrn.k;
    return DEEPER_OK;
}

static deeper_status concat(builder *b) {
    dp_caffe_layer *room = add(b, "Concat");
    set_bottoms(b, room, b->node->input_count);
    caffe__concat_parameter__init(&room->of.concat);
    room->layer.concat_param = &room->of.concat;
    room->of.concat.has_axis = room->of.concat.axis = 1;
    return DEEPER_OK;
}

static deeper_status sum(builder *b) {
    dp_caffe_layer *room = add(b, "Eltwise");
    set_bottoms(b, room, 2);
    caffe__eltwise_parameter__init(&room->of.eltwise);
    room->layer.eltwise_param = &room->of.eltwise;
    room->of.eltwise.has_operation = 1;
    room->of.eltwise.operation = CAFFE__ELTWISE_PARAMETER__ELTWISE_OP__SUM;
    return DEEPER_OK;
}

static deeper_status dropout(builder *b) {
    dp_caffe_layer *room = add_simple(b, "Dropout");
    caffe__dropout_parameter__init(&room->of.dropout);
    room->layer.dropout_param = &room->of.dropout;
    room->of.dropout.has_dropout_ratio = 1;
    room->of.dropout.dropout_ratio = b->node->attributes.dropout.rate;
    return DEEPER_OK;
}

static deeper_status relu(builder *b) {
    add_simple(b, "ReLU");
    return DEEPER_OK;
}

static deeper_status flatten(builder *b) {
    add_simple(b, "Flatten");
    return DEEPER_OK;
}

static deeper_status softmax(builder *b) {
    add_simple(b, "Softmax");
    return DEEPER_OK;
}

static deeper_status nothing(builder *b) {
    return DEEPER_OK;
}

static deeper_status (*const makers[DP_OP_COUNT])(builder *b) = {
    [DP_OP_INPUT] = picture,
    [DP_OP_PARAMETER] = nothing, /* a blob of its reader */
    [DP_OP_CONV] = convolution,
    [DP_OP_FC] = fully_connected,
    [DP_OP_MAX_POOL] = max_pool,
    [DP_OP_AVERAGE_POOL] = average_pool,
    [DP_OP_GLOBAL_AVERAGE] = global_average,
    [DP_OP_ADAPTIVE_POOL] = adaptive_pool,
    [DP_OP_LRN] = lrn,
    [DP_OP_RELU] = relu,
    [DP_OP_BATCH_NORM] = batch_norm,
    [DP_OP_AFFINE] = affine,
    [DP_OP_ADD] = sum,
    [DP_OP_CONCAT] = concat,
    [DP_OP_FLATTEN] = flatten,
    [DP_OP_DROPOUT] = dropout,
    [DP_OP_SOFTMAX] = softmax,
};

/* ---------------------------------------------------------------------------------------- whole */

static deeper_status reserve(dp_caffe_net *net, const dp_graph *graph, deeper_error *error) {
    size_t inputs = 0, layers = (size_t)graph->count * MAX_LAYERS;
    for (int i = 0; i < graph->count; i++)
        inputs += (size_t)graph->nodes[i].input_count;
    net->rooms = dp_alloc(net->allocator, layers, sizeof *net->rooms);
    net->layers = dp_alloc(net->allocator, layers, sizeof(void *));
    net->nodes = dp_alloc(net->allocator, layers, sizeof *net->nodes);
    net->bottoms = dp_alloc(net->allocator, inputs + 1, sizeof(char *));
    return net->rooms && net->layers && net->nodes && net->bottoms
               ? DEEPER_OK
               : dp_fail_memory(error, "the layers of a caffemodel");
}

static deeper_status add_layers(dp_caffe_net *net, const dp_model *model, const char *path,
                                deeper_error *error) {
    builder b = {
        .net = net, .model = model, .bottoms = net->bottoms, .path = path, .error = error
    };
    net->count = 0;
    for (b.index = 0; b.index < model->graph->count; b.index++) {
        b.node = &model->graph->nodes[b.index];
        if (net->heads_left_out && b.node->head != DP_HEAD_MAIN)
            continue;
        DP_TRY(makers[b.node->op] ? makers[b.node->op](&b) : refuse(&b, "it is none of Caffe's"));
    }
    return DEEPER_OK;
}

deeper_status dp_caffe_net_make(dp_caffe_net *net, const dp_model *model, const char *path,
                                deeper_error *error) {
    *net = (dp_caffe_net){ .allocator = model->allocator };
    deeper_error why = { 0 };
    deeper_status status = reserve(net, model->graph, &why);
    if (status == DEEPER_OK)
        status = add_layers(net, model, path, &why);
    if (status == DEEPER_ERROR_UNSUPPORTED && dp_model_has_heads(model)) {
        net->heads_left_out = true;
        status = add_layers(net, model, path, &why);
    }
    if (status != DEEPER_OK) {
        if (error)
            *error = why;
        dp_caffe_net_free(net);
    }
    return status;
}

void dp_caffe_net_free(dp_caffe_net *net) {
    dp_free(net->allocator, net->rooms);
    dp_free(net->allocator, net->layers);
    dp_free(net->allocator, net->nodes);
    dp_free(net->allocator, net->bottoms);
    *net = (dp_caffe_net){ .allocator = net->allocator };
}
