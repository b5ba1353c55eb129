/* operators.c - the one table of operators: name, arity, shape rule and multiply-adds of each. A
 * shape rule sees attributes that are in their ranges (attributes.c).
 * Shape rules take shapes alone, so that importers and tests can ask without a graph. To add an
 * operator see docs/ADDING.md. Letters as in graph.h. */
#include "base/arithmetic.h"
#include "graph/attributes.h"

static const size_t MAX_FLOATS = (size_t)1 << 31; /* of one image of a tensor, or of a parameter */

typedef deeper_status infer_rule(const dp_shape *in, int count, const dp_attributes *attributes,
                                 dp_shape *out, deeper_error *error);
typedef uint64_t cost_rule(const dp_graph *graph, const dp_node *node);

static deeper_status same_as_first(const dp_shape *in, int count, const dp_attributes *attributes,
                                   dp_shape *out, deeper_error *error) {
    *out = in[0];
    return DEEPER_OK;
}

static deeper_status infer_stated(const dp_shape *in, int count, const dp_attributes *attributes,
                                  dp_shape *out, deeper_error *error) {
    *out = attributes->shape;
    return DEEPER_OK;
}

/* Windows along one side; 0 if none fits. Rounded up, one fits that is larger than the side by less
 * than a stride. */
static int window_count(int side, int window, int stride, int before, int after, bool ceil) {
    int room = side + before + after - window;
    if (ceil)
        room += stride - 1;
    if (room < 0)
        return 0;
    int count = room / stride + 1;
    if (ceil && (count - 1) * stride >= side + before)
        count--;
    return count;
}

static deeper_status slide(const dp_window *w, dp_shape in, dp_shape *out, deeper_error *error) {
    out->h = window_count(in.h, w->height, w->stride_y, w->pads.top, w->pads.bottom, w->ceil);
    out->w = window_count(in.w, w->width, w->stride_x, w->pads.left, w->pads.right, w->ceil);
    if (out->h < 1 || out->w < 1)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "a window of %dx%d does not fit into a picture of %dx%d", w->height,
                       w->width, in.h, in.w);
    return DEEPER_OK;
}

static deeper_status check_bias(const dp_shape *in, int count, deeper_error *error) {
    if (count == 3 && !dp_shape_equal(in[2], (dp_shape){ in[1].n, 1, 1, 1 }))
        return dp_fail(error, DEEPER_ERROR_MISMATCH, "a bias of %d values for %d outputs", in[2].n,
                       in[1].n);
    return DEEPER_OK;
}

static deeper_status infer_conv(const dp_shape *in, int count, const dp_attributes *attributes,
                                dp_shape *out, deeper_error *error) {
    const dp_window *w = &attributes->window;
    dp_shape weight = in[1];
    if (w->ceil)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "a convolution rounds its output size down; only pools round up");
    if (in[0].c % w->groups || weight.n % w->groups)
        return dp_fail(error, DEEPER_ERROR_MISMATCH, "%d groups do not divide %d and %d channels",
                       w->groups, in[0].c, weight.n);
    if (weight.c != in[0].c / w->groups || weight.h != w->height || weight.w != w->width)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "weights of %dx%dx%dx%d for a %dx%d convolution of %d channels", weight.n,
                       weight.c, weight.h, weight.w, w->height, w->width, in[0].c);
    DP_TRY(check_bias(in, count, error));
    out->c = weight.n;
    return slide(w, in[0], out, error);
}

static deeper_status infer_fc(const dp_shape *in, int count, const dp_attributes *attributes,
                              dp_shape *out, deeper_error *error) {
    if (in[1].c != in[0].c || in[1].h != in[0].h || in[1].w != in[0].w)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "weights of %dx%dx%dx%d for an input of %dx%dx%d", in[1].n, in[1].c, in[1].h,
                       in[1].w, in[0].c, in[0].h, in[0].w);
    DP_TRY(check_bias(in, count, error));
    *out = (dp_shape){ 0, in[1].n, 1, 1 };
    return DEEPER_OK;
}

static deeper_status infer_pool(const dp_shape *in, int count, const dp_attributes *attributes,
                                dp_shape *out, deeper_error *error) {
    const dp_window *w = &attributes->window;
    if (w->pads.top >= w->height || w->pads.left >= w->width || w->pads.bottom >= w->height
        || w->pads.right >= w->width)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "a pool's padding must be smaller than its window");
    out->c = in[0].c;
    return slide(w, in[0], out, error);
}

static deeper_status infer_global(const dp_shape *in, int count, const dp_attributes *attributes,
                                  dp_shape *out, deeper_error *error) {
    *out = (dp_shape){ 0, in[0].c, 1, 1 };
    return DEEPER_OK;
}

static deeper_status infer_adaptive(const dp_shape *in, int count, const dp_attributes *attributes,
                                    dp_shape *out, deeper_error *error) {
    const dp_size *size = &attributes->size;
    if (size->height > in[0].h || size->width > in[0].w)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "a picture of %dx%d cannot be averaged to %dx%d", in[0].h, in[0].w,
                       size->height, size->width);
    *out = (dp_shape){ 0, in[0].c, size->height, size->width };
    return DEEPER_OK;
}

static deeper_status infer_lrn(const dp_shape *in, int count, const dp_attributes *attributes,
                               dp_shape *out, deeper_error *error) {
    const dp_lrn *lrn = &attributes->lrn;
    if (lrn->size > 9 || lrn->size % 2 == 0)
        return dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
                       "an LRN window of %d channels; 1, 3, 5, 7 and 9 are supported", lrn->size);
    *out = in[0];
    return DEEPER_OK;
}

/* Batch statistics of C channels: two rows. */
static dp_shape two_rows(dp_shape x) {
    return (dp_shape){ 2, x.c, 1, 1 };
}

static deeper_status infer_norm(const dp_shape *in, int count, const dp_attributes *attributes,
                                dp_shape *out, deeper_error *error) {
    for (int i = 1; i < count; i++)
        if (!dp_shape_equal(in[i], count == 4 && i == 3 ? two_rows(in[0])
                                                        : (dp_shape){ in[0].c, 1, 1, 1 }))
            return dp_fail(error, DEEPER_ERROR_MISMATCH,
                           "batch norm of %d channels with a parameter of %d", in[0].c, in[i].n);
    *out = in[0];
    return DEEPER_OK;
}

static deeper_status infer_affine(const dp_shape *in, int count, const dp_attributes *attributes,
                                  dp_shape *out, deeper_error *error) {
    for (int i = 1; i < count; i++)
        if (!dp_shape_equal(in[i], (dp_shape){ in[0].c, 1, 1, 1 }))
            return dp_fail(error, DEEPER_ERROR_MISMATCH,
                           "a factor or term of %d values for %d channels", in[i].n, in[0].c);
    *out = in[0];
    return DEEPER_OK;
}

/* Zero stays zero, for lanes past the last channel must. */
static deeper_status infer_clip(const dp_shape *in, int count, const dp_attributes *attributes,
                                dp_shape *out, deeper_error *error) {
    if (!(attributes->clip.low <= 0.0F && attributes->clip.high >= 0.0F))
        return dp_fail(error, DEEPER_ERROR_UNSUPPORTED, "a clip to %g..%g, which leaves 0 out",
                       (double)attributes->clip.low, (double)attributes->clip.high);
    *out = in[0];
    return DEEPER_OK;
}

static deeper_status infer_pad(const dp_shape *in, int count, const dp_attributes *attributes,
                               dp_shape *out, deeper_error *error) {
    const dp_pads *pads = &attributes->pads;
    *out = (dp_shape){ 0, in[0].c, in[0].h + pads->top + pads->bottom,
                       in[0].w + pads->left + pads->right };
    return DEEPER_OK;
}

/* A mirror shows every pixel but the border's. */
static deeper_status infer_reflect(const dp_shape *in, int count, const dp_attributes *attributes,
                                   dp_shape *out, deeper_error *error) {
    const dp_pads *pads = &attributes->pads;
    if (dp_max(pads->top, pads->bottom) >= in[0].h || dp_max(pads->left, pads->right) >= in[0].w)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "a picture of %dx%d shows no %d, %d, %d, %d pixels beyond its border",
                       in[0].h, in[0].w, pads->top, pads->left, pads->bottom, pads->right);
    return infer_pad(in, count, attributes, out, error);
}

static deeper_status infer_resize(const dp_shape *in, int count, const dp_attributes *attributes,
                                  dp_shape *out, deeper_error *error) {
    *out = (dp_shape){ 0, in[0].c, attributes->size.height, attributes->size.width };
    return DEEPER_OK;
}

static deeper_status infer_normalize(const dp_shape *in, int count, const dp_attributes *attributes,
                                     dp_shape *out, deeper_error *error) {
    int groups = attributes->normalize.groups;
    if (in[0].c % groups)
        return dp_fail(error, DEEPER_ERROR_MISMATCH, "%d groups do not divide %d channels", groups,
                       in[0].c);
    *out = in[0];
    return DEEPER_OK;
}

static deeper_status infer_shuffle(const dp_shape *in, int count, const dp_attributes *attributes,
                                   dp_shape *out, deeper_error *error) {
    int groups = attributes->groups;
    if (in[0].c % groups)
        return dp_fail(error, DEEPER_ERROR_MISMATCH, "%d groups do not divide %d channels", groups,
                       in[0].c);
    *out = in[0];
    return DEEPER_OK;
}

static deeper_status infer_add(const dp_shape *in, int count, const dp_attributes *attributes,
                               dp_shape *out, deeper_error *error) {
    if (!dp_shape_equal(in[0], in[1]))
        return dp_fail(error, DEEPER_ERROR_MISMATCH, "a sum of %dx%dx%d and %dx%dx%d", in[0].c,
                       in[0].h, in[0].w, in[1].c, in[1].h, in[1].w);
    *out = in[0];
    return DEEPER_OK;
}

static deeper_status infer_multiply(const dp_shape *in, int count, const dp_attributes *attributes,
                                    dp_shape *out, deeper_error *error) {
    if (!dp_shape_equal(in[0], in[1]) && !dp_shape_equal(in[1], (dp_shape){ 0, in[0].c, 1, 1 }))
        return dp_fail(error, DEEPER_ERROR_MISMATCH, "a product of %dx%dx%d and %dx%dx%d", in[0].c,
                       in[0].h, in[0].w, in[1].c, in[1].h, in[1].w);
    *out = in[0];
    return DEEPER_OK;
}

static deeper_status infer_concat(const dp_shape *in, int count, const dp_attributes *attributes,
                                  dp_shape *out, deeper_error *error) {
    *out = in[0];
    for (int i = 1; i < count; i++) {
        if (in[i].h != in[0].h || in[i].w != in[0].w)
            return dp_fail(error, DEEPER_ERROR_MISMATCH,
                           "pictures of %dx%d and %dx%d cannot be joined along channels", in[0].h,
                           in[0].w, in[i].h, in[i].w);
        if (in[i].c > DP_MAX_CHANNELS - out->c)
            return dp_fail(error, DEEPER_ERROR_LIMIT, "more than %d channels", DP_MAX_CHANNELS);
        out->c += in[i].c;
    }
    return DEEPER_OK;
}

static deeper_status infer_flatten(const dp_shape *in, int count, const dp_attributes *attributes,
                                   dp_shape *out, deeper_error *error) {
    size_t floats = dp_shape_floats(in[0]);
    if (floats > DP_MAX_CHANNELS)
        return dp_fail(error, DEEPER_ERROR_LIMIT, "more than %d channels", DP_MAX_CHANNELS);
    *out = (dp_shape){ 0, (int)floats, 1, 1 };
    return DEEPER_OK;
}

/* ------------------------------------------------------------------------------------- training */

static deeper_status infer_fill(const dp_shape *in, int count, const dp_attributes *attributes,
                                dp_shape *out, deeper_error *error) {
    *out = attributes->fill.shape;
    return DEEPER_OK;
}

static deeper_status infer_loss(const dp_shape *in, int count, const dp_attributes *attributes,
                                dp_shape *out, deeper_error *error) {
    const dp_shape *x = &in[count - 2], *labels = &in[count - 1];
    if (x->h != 1 || x->w != 1 || !dp_shape_equal(*labels, (dp_shape){ 0, 2, 1, 1 }))
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "a loss needs logits of Cx1x1 and labels of 2x1x1 (class, weight)");
    *out = count == 2 ? (dp_shape){ 0, 1, 1, 1 } : *x;
    return DEEPER_OK;
}

static deeper_status infer_rotate(const dp_shape *in, int count, const dp_attributes *attributes,
                                  dp_shape *out, deeper_error *error) {
    int groups = attributes->groups, outputs = in[0].n;
    if (in[0].n % groups)
        return dp_fail(error, DEEPER_ERROR_MISMATCH, "%d groups do not divide %d channels", groups,
                       in[0].n);
    for (int i = 1; i < count; i++) {
        if (groups != 1 || in[i].c != in[0].c || in[i].h != in[0].h || in[i].w != in[0].w)
            return dp_fail(error, DEEPER_ERROR_MISMATCH,
                           "weights of other shapes cannot be joined");
        outputs += in[i].n;
    }
    *out = (dp_shape){ in[0].c * groups, outputs / groups, in[0].h, in[0].w };
    return DEEPER_OK;
}

static deeper_status infer_transpose(const dp_shape *in, int count, const dp_attributes *attributes,
                                     dp_shape *out, deeper_error *error) {
    *out = (dp_shape){ (int)(dp_shape_floats(in[0]) / (size_t)in[0].n), in[0].n, 1, 1 };
    return DEEPER_OK;
}

static deeper_status infer_unflatten(const dp_shape *in, int count, const dp_attributes *attributes,
                                     dp_shape *out, deeper_error *error) {
    *out = attributes->shape;
    if (in[0].h != 1 || in[0].w != 1 || dp_shape_floats(*out) != (size_t)in[0].c)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "%d channels do not make a picture of %dx%dx%d", in[0].c, out->c, out->h,
                       out->w);
    return DEEPER_OK;
}

static deeper_status infer_dilate(const dp_shape *in, int count, const dp_attributes *attributes,
                                  dp_shape *out, deeper_error *error) {
    const dp_stride *stride = &attributes->stride;
    if (in[0].h > DP_MAX_SIDE / stride->y || in[0].w > DP_MAX_SIDE / stride->x)
        return dp_fail(error, DEEPER_ERROR_LIMIT, "a picture side above %d", DP_MAX_SIDE);
    *out = (dp_shape){ 0, in[0].c, (in[0].h - 1) * stride->y + 1, (in[0].w - 1) * stride->x + 1 };
    return DEEPER_OK;
}

static deeper_status infer_weight_gradient(const dp_shape *in, int count,
                                           const dp_attributes *attributes, dp_shape *out,
                                           deeper_error *error) {
    const dp_window *w = &attributes->window;
    dp_shape windows = { 0, 1, 1, 1 };
    DP_TRY(slide(w, in[0], &windows, error));
    if (windows.h != in[1].h || windows.w != in[1].w || in[0].c % w->groups || in[1].c % w->groups)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "a gradient of %dx%dx%d does not belong to this convolution", in[1].c,
                       in[1].h, in[1].w);
    *out = (dp_shape){ in[1].c, in[0].c / w->groups, w->height, w->width };
    return DEEPER_OK;
}

static deeper_status infer_channel_sum(const dp_shape *in, int count,
                                       const dp_attributes *attributes, dp_shape *out,
                                       deeper_error *error) {
    *out = (dp_shape){ in[0].c, 1, 1, 1 };
    return DEEPER_OK;
}

/* g has the shape of y, the result that of x; in: g, x and maybe y. */
static deeper_status same_as_second(const dp_shape *in, int count, const dp_attributes *attributes,
                                    dp_shape *out, deeper_error *error) {
    if (in[0].c != in[1].c || (count == 3 && !dp_shape_equal(in[0], in[2])))
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "a gradient of %dx%dx%d for an input of %dx%dx%d", in[0].c, in[0].h, in[0].w,
                       in[1].c, in[1].h, in[1].w);
    *out = in[1];
    return DEEPER_OK;
}

static deeper_status infer_slice(const dp_shape *in, int count, const dp_attributes *attributes,
                                 dp_shape *out, deeper_error *error) {
    const dp_slice *slice = &attributes->slice;
    int whole = in[0].n ? in[0].n : in[0].c;
    if (slice->count < 1 || slice->count > whole || slice->begin > whole - slice->count)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "channels %d..%d of %d", slice->begin,
                       slice->begin + slice->count - 1, whole);
    *out = in[0].n ? (dp_shape){ slice->count, in[0].c, in[0].h, in[0].w }
                   : (dp_shape){ 0, slice->count, in[0].h, in[0].w };
    return DEEPER_OK;
}

static deeper_status infer_moments(const dp_shape *in, int count, const dp_attributes *attributes,
                                   dp_shape *out, deeper_error *error) {
    for (int i = 1; i < count; i++)
        if (i == 1 ? !dp_shape_equal(in[1], in[0]) : !dp_shape_equal(in[i], two_rows(in[0])))
            return dp_fail(error, DEEPER_ERROR_MISMATCH,
                           "batch norm sums of %d channels from other shapes", in[0].c);
    *out = two_rows(in[0]);
    return DEEPER_OK;
}

static deeper_status infer_norm_gradient(const dp_shape *in, int count,
                                         const dp_attributes *attributes, dp_shape *out,
                                         deeper_error *error) {
    if (!dp_shape_equal(in[0], in[1]) || in[2].n != in[0].c
        || !dp_shape_equal(in[3], two_rows(in[0])) || !dp_shape_equal(in[4], two_rows(in[0])))
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "the batch norm gradient of %d channels from other shapes", in[0].c);
    *out = in[0];
    return DEEPER_OK;
}

/* ---------------------------------------------------------------------------------------- costs */

/* Every output value of a convolution or fully connected layer takes one multiply-add a weight of
 * its output channel. */
static uint64_t cost_product(const dp_graph *graph, const dp_node *node) {
    dp_shape weight = graph->nodes[node->inputs[1]].shape;
    return (uint64_t)dp_shape_floats(weight) * (uint64_t)node->shape.h * (uint64_t)node->shape.w;
}

/* The same products, summed over pixels instead of channels. */
static uint64_t cost_weight_gradient(const dp_graph *graph, const dp_node *node) {
    dp_shape gradient = graph->nodes[node->inputs[1]].shape;
    return (uint64_t)dp_shape_floats(node->shape) * (uint64_t)gradient.h * (uint64_t)gradient.w;
}

/* ------------------------------------------------------------------------------------ the table */

/* fixed_from: inputs from this one on must be parameters or batch sums (n >= 1), those before must
 * be activations. */
enum { NONE_FIXED = 1 << 30, ANY = -1 };

static const struct {
    const char *name;
    int min_inputs, max_inputs, fixed_from;
    infer_rule *infer;
    cost_rule *multiply_adds; /* NULL: none */
} operators[DP_OP_COUNT] = {
    [DP_OP_INPUT] = { "input", 0, 0, NONE_FIXED, infer_stated, NULL },
    [DP_OP_PARAMETER] = { "parameter", 0, 0, NONE_FIXED, infer_stated, NULL },
    [DP_OP_CONV] = { "conv", 2, 3, 1, infer_conv, cost_product },
    [DP_OP_FC] = { "fc", 2, 3, 1, infer_fc, cost_product },
    [DP_OP_MAX_POOL] = { "max_pool", 1, 1, NONE_FIXED, infer_pool, NULL },
    [DP_OP_AVERAGE_POOL] = { "average_pool", 1, 1, NONE_FIXED, infer_pool, NULL },
    [DP_OP_GLOBAL_AVERAGE] = { "global_average", 1, 1, NONE_FIXED, infer_global, NULL },
    [DP_OP_ADAPTIVE_POOL] = { "adaptive_pool", 1, 1, NONE_FIXED, infer_adaptive, NULL },
    [DP_OP_LRN] = { "lrn", 1, 1, NONE_FIXED, infer_lrn, NULL },
    [DP_OP_RELU] = { "relu", 1, 1, NONE_FIXED, same_as_first, NULL },
    [DP_OP_BATCH_NORM] = { "batch_norm", 4, 5, 1, infer_norm, NULL },
    [DP_OP_AFFINE] = { "affine", 3, 3, 1, infer_affine, NULL },
    [DP_OP_CLIP] = { "clip", 1, 1, NONE_FIXED, infer_clip, NULL },
    [DP_OP_PAD] = { "pad", 1, 1, NONE_FIXED, infer_pad, NULL },
    [DP_OP_REFLECT] = { "reflect", 1, 1, NONE_FIXED, infer_reflect, NULL },
    [DP_OP_RESIZE] = { "resize", 1, 1, NONE_FIXED, infer_resize, NULL },
    [DP_OP_ERF] = { "erf", 1, 1, NONE_FIXED, same_as_first, NULL },
    [DP_OP_NORMALIZE] = { "normalize", 1, 1, NONE_FIXED, infer_normalize, NULL },
    [DP_OP_SIGMOID] = { "sigmoid", 1, 1, NONE_FIXED, same_as_first, NULL },
    [DP_OP_MULTIPLY] = { "multiply", 2, 2, NONE_FIXED, infer_multiply, NULL },
    [DP_OP_SHUFFLE] = { "shuffle", 1, 1, NONE_FIXED, infer_shuffle, NULL },
    [DP_OP_ADD] = { "add", 2, 2, NONE_FIXED, infer_add, NULL },
    [DP_OP_CONCAT] = { "concat", 1, 1 << 16, NONE_FIXED, infer_concat, NULL },
    [DP_OP_SLICE] = { "slice", 1, 1, ANY, infer_slice, NULL },
    [DP_OP_FLATTEN] = { "flatten", 1, 1, NONE_FIXED, infer_flatten, NULL },
    [DP_OP_UNFLATTEN] = { "unflatten", 1, 1, NONE_FIXED, infer_unflatten, NULL },
    [DP_OP_DROPOUT] = { "dropout", 1, 1, NONE_FIXED, same_as_first, NULL },
    [DP_OP_SOFTMAX] = { "softmax", 1, 1, NONE_FIXED, same_as_first, NULL },
    [DP_OP_FILL] = { "fill", 0, 0, NONE_FIXED, infer_fill, NULL },
    [DP_OP_SOFTMAX_LOSS] = { "softmax_loss", 2, 2, NONE_FIXED, infer_loss, NULL },
    [DP_OP_SOFTMAX_LOSS_GRADIENT] = { "softmax_loss_gradient", 3, 3, NONE_FIXED, infer_loss, NULL },
    [DP_OP_ROTATE] = { "rotate", 1, 1 << 16, 0, infer_rotate, NULL },
    [DP_OP_TRANSPOSE] = { "transpose", 1, 1, 0, infer_transpose, NULL },
    [DP_OP_DILATE] = { "dilate", 1, 1, NONE_FIXED, infer_dilate, NULL },
    [DP_OP_CONV_WEIGHT_GRADIENT] = { "conv_weight_gradient", 2, 2, NONE_FIXED,
                                     infer_weight_gradient, cost_weight_gradient },
    [DP_OP_CHANNEL_SUM] = { "channel_sum", 1, 1, NONE_FIXED, infer_channel_sum, NULL },
    [DP_OP_RELU_GRADIENT] = { "relu_gradient", 2, 2, NONE_FIXED, infer_add, NULL },
    [DP_OP_MAX_POOL_GRADIENT] = { "max_pool_gradient", 3, 3, NONE_FIXED, same_as_second, NULL },
    [DP_OP_AVERAGE_POOL_GRADIENT] = { "average_pool_gradient", 2, 2, NONE_FIXED, same_as_second,
                                      NULL },
    [DP_OP_GLOBAL_AVERAGE_GRADIENT] = { "global_average_gradient", 2, 2, NONE_FIXED, same_as_second,
                                        NULL },
    [DP_OP_ADAPTIVE_POOL_GRADIENT] = { "adaptive_pool_gradient", 2, 2, NONE_FIXED, same_as_second,
                                       NULL },
    [DP_OP_LRN_GRADIENT] = { "lrn_gradient", 2, 2, NONE_FIXED, same_as_second, NULL },
    [DP_OP_MOMENTS] = { "moments", 1, 1, NONE_FIXED, infer_moments, NULL },
    [DP_OP_BATCH_NORM_SUMS] = { "batch_norm_sums", 3, 3, 2, infer_moments, NULL },
    [DP_OP_BATCH_NORM_GRADIENT] = { "batch_norm_gradient", 5, 5, 2, infer_norm_gradient, NULL },
    [DP_OP_FIXED_NORM_GRADIENT] = { "fixed_norm_gradient", 3, 3, 1, infer_norm, NULL },
};

bool dp_pads_any(const dp_pads *pads) {
    return pads->top || pads->left || pads->bottom || pads->right;
}

bool dp_is_point(const dp_node *node) {
    const dp_window *w = &node->attributes.window;
    return node->op == DP_OP_CONV && w->height == 1 && w->width == 1 && w->stride_y == 1
           && w->stride_x == 1 && !dp_pads_any(&w->pads) && w->groups == 1;
}

const char *dp_op_name(dp_op op) {
    return operators[op].name;
}

bool dp_op_is_inference(dp_op op) {
    return op < DP_OP_FILL;
}

deeper_status dp_op_infer(dp_op op, const dp_shape *inputs, int input_count,
                          const dp_attributes *attributes, dp_shape *shape, deeper_error *failure) {
    if ((unsigned)op >= DP_OP_COUNT)
        return dp_fail(failure, DEEPER_ERROR_ARGUMENT, "no such operator");
    if (input_count < operators[op].min_inputs || input_count > operators[op].max_inputs)
        return dp_fail(failure, DEEPER_ERROR_ARGUMENT, "%s with %d inputs", operators[op].name,
                       input_count);
    for (int i = 0; i < input_count; i++)
        if (operators[op].fixed_from != ANY
            && (inputs[i].n == 0) == (i >= operators[op].fixed_from))
            return dp_fail(failure, DEEPER_ERROR_ARGUMENT, "input %d of %s must%s be a parameter",
                           i, operators[op].name, inputs[i].n ? " not" : "");
    dp_shape out = { 0, 0, 0, 0 };
    DP_TRY(dp_attributes_check(op, attributes, failure));
    DP_TRY(operators[op].infer(inputs, input_count, attributes, &out, failure));
    if (out.c < 1 || out.h < 1 || out.w < 1 || out.c > DP_MAX_CHANNELS || out.h > DP_MAX_SIDE
        || out.w > DP_MAX_SIDE || out.n > DP_MAX_CHANNELS || out.n < (op == DP_OP_PARAMETER)
        || (op == DP_OP_INPUT && out.n) || dp_shape_floats(out) > MAX_FLOATS)
        return dp_fail(failure, DEEPER_ERROR_LIMIT, "a %s of %dx%dx%dx%d is out of range",
                       operators[op].name, out.n, out.c, out.h, out.w);
    *shape = out;
    return DEEPER_OK;
}

dp_cost dp_node_cost(const dp_graph *graph, int node) {
    const dp_node *operation = &graph->nodes[node];
    dp_cost cost = { 0, 0, (uint64_t)dp_shape_floats(operation->shape) * sizeof(float) };
    for (int i = 0; i < operation->input_count; i++)
        if (graph->nodes[operation->inputs[i]].op == DP_OP_PARAMETER)
            cost.parameters += dp_shape_floats(graph->nodes[operation->inputs[i]].shape);
    if (operators[operation->op].multiply_adds)
        cost.multiply_adds = operators[operation->op].multiply_adds(graph, operation);
    return cost;
}
