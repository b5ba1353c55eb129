/* onnx_import.h - from the nodes of an ONNX file to a dp_graph and the values of its parameters;
 * and what the files that do it share: onnx_import.c walks, onnx_constants.c, onnx_moves.c and
 * onnx_arithmetic.c compute what depends on no picture, onnx_layers.c, onnx_elements.c and
 * onnx_shapes.c add layers. Letters: N images, C channels, H W rows and columns. */
#ifndef DP_FORMATS_ONNX_IMPORT_H
#define DP_FORMATS_ONNX_IMPORT_H

#include "formats/onnx/onnx_file.h"
#include "graph/graph.h"

/* Values of a parameter: floats that live with the file, or one number everywhere. */
typedef struct dp_onnx_parameter {
    const float *values; /* NULL: */
    float fill;
} dp_onnx_parameter;

typedef struct dp_onnx_network {
    dp_graph *graph; /* one INPUT */
    int output;      /* the node of the file's first output */
    bool logarithm;  /* it is the softmax's logarithm of that node's value */
    int batch;       /* images that the file was made for; -1: any number */
    dp_onnx_parameter *parameters;
    size_t capacity;
} dp_onnx_network;

/* What the file's graph computes for its first output. Errors name the node: UNSUPPORTED (an
 * operator, an attribute, another layout than N x C x H x W), FORMAT (a name twice, a value that is
 * nowhere or made later, shapes that do not fit), LIMIT, MEMORY; *network is then empty. */
deeper_status dp_onnx_import(dp_onnx_network *network, dp_onnx_file *file, deeper_error *error);
void dp_onnx_network_free(dp_onnx_network *network, const deeper_allocator *allocator);

/* ----------------------------------------------------------------- between the importer's files */

/* Stands for the number of images in the shapes that a file computes. */
#define DP_ONNX_BATCH INT64_MIN

typedef enum dp_onnx_kind { DP_ONNX_UNSET, DP_ONNX_CONSTANT, DP_ONNX_ACTIVATION } dp_onnx_kind;

/* What a name of the file stands for. */
typedef struct dp_onnx_value {
    const char *name;
    dp_onnx_kind kind;
    int uses, reader; /* nodes that read it, counted once a reading; the last of them */
    dp_tensor tensor; /* CONSTANT; data NULL with elements: `fill` everywhere */
    double fill;
    int node; /* ACTIVATION: the layer whose output it is, in another shape where it was only
                 reshaped: */
    int rank;
    int64_t dims[DP_TENSOR_RANK]; /* dims[0] is the number of images */
    bool last;      /* dims are N x H x W x C, but the layer is N x C x H x W as all are: a picture
                       that was only turned around */
    bool quantized; /* between QuantizeLinear and DequantizeLinear: stands for the real values */
    bool logarithm; /* the softmax's logarithm of that layer, which only the output may be */
} dp_onnx_value;

typedef struct dp_onnx_importer {
    dp_onnx_file *file;
    dp_onnx_network *network;
    dp_graph *graph;
    dp_onnx_value *values;
    size_t value_count, value_capacity;
    int *slots; /* hash table of the values' numbers, -1: empty */
    size_t slot_count;
    bool *done;                  /* nodes that were imported along with an earlier one */
    size_t invented;             /* floats that the file did not pay for with bytes */
    const Onnx__NodeProto *node; /* under way: the subject of errors */
    deeper_error *error;
} dp_onnx_importer;

typedef deeper_status dp_onnx_operator(dp_onnx_importer *importer, const Onnx__NodeProto *node);

/* "FILE: node NAME (Op): " and the message. */
deeper_status dp_onnx_fail(dp_onnx_importer *importer, deeper_status status, const char *format,
                           ...) __attribute__((format(printf, 3, 4)));

/* A failure that stayed in the graph, with the node before it. */
deeper_status dp_onnx_check_graph(dp_onnx_importer *importer);

/* The attribute of a name, NULL if the node has none; its value, or the one given. */
const Onnx__AttributeProto *dp_onnx_attribute(const Onnx__NodeProto *node, const char *name);
int64_t dp_onnx_int(const Onnx__NodeProto *node, const char *name, int64_t otherwise);
float dp_onnx_float(const Onnx__NodeProto *node, const char *name, float otherwise);
bool dp_onnx_text_is(const Onnx__NodeProto *node, const char *name,
                     const char *text); /* false if missing */

/* Input `index`, NULL if the node leaves it out. */
dp_onnx_value *dp_onnx_input(dp_onnx_importer *importer, const Onnx__NodeProto *node, size_t index);

/* The same as an activation, or a constant. Errors: missing, of the other kind; quantized, or the
 * logarithm of a softmax, where the operator would compute with it (dp_onnx_moved: it does not). */
deeper_status dp_onnx_moved(dp_onnx_importer *importer, const Onnx__NodeProto *node, size_t index,
                            dp_onnx_value **value);
deeper_status dp_onnx_activation(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                 size_t index, dp_onnx_value **value);
deeper_status dp_onnx_constant(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                               size_t index, const dp_onnx_value **value);

/* The shape of a layer whose output has a value's dims, its channels second. */
dp_shape dp_onnx_layer_shape(const dp_onnx_value *value);

/* A constant operand for an activation of `rank` dims of which one has `channels`: one number, or
 * one a channel. *fits: it is that. */
deeper_status dp_onnx_operand(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                              const dp_onnx_value *constant, int rank, int channel_axis,
                              int channels, dp_onnx_parameter *values, bool *fits);

/* The axis of a value's channels. */
static inline int dp_onnx_channel_axis(const dp_onnx_value *value) {
    return value->last ? value->rank - 1 : 1;
}

/* *layer = the layer whose channels are those of an activation: settled, unless its channels come
 * last. */
deeper_status dp_onnx_settle_channels(dp_onnx_importer *importer, dp_onnx_value *value, int *layer);

/* *layer = the layer of an activation in the shape of its dims: N x C, N x C x W (as C x 1 x W) or
 * N x C x H x W. A value that was only reshaped so far gets its FLATTEN or UNFLATTEN now, one that
 * was turned around its SHUFFLE. */
deeper_status dp_onnx_settle(dp_onnx_importer *importer, dp_onnx_value *value, int *layer);

/* Whole numbers of a constant, at most DP_ONNX_INTS of them. */
enum { DP_ONNX_INTS = 256 };
deeper_status dp_onnx_read_ints(dp_onnx_importer *importer, const dp_onnx_value *value,
                                int64_t ints[DP_ONNX_INTS], int *count);

/* Whole numbers of an attribute, or (attribute missing) of constant input `index`; *count is -1
 * where there are neither. */
deeper_status dp_onnx_ints_of(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                              const char *attribute, size_t index, int64_t ints[DP_ONNX_INTS],
                              int *count);

/* Output 0 as a constant of `count` whole numbers in this shape. */
deeper_status dp_onnx_set_ints(dp_onnx_importer *importer, const Onnx__NodeProto *node, int rank,
                               const size_t *shape, const int64_t *ints, int count);

/* Output 0 of a Shape: these sides, from attribute start to end. */
deeper_status dp_onnx_set_sides(dp_onnx_importer *importer, const Onnx__NodeProto *node, int rank,
                                const int64_t *sides);

/* Output 0 as a tensor of this type and shape with the bytes of `data`, which live with the file;
 * NULL: the value's fill everywhere. */
deeper_status dp_onnx_set_constant(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                   dp_dtype dtype, int rank, const size_t *shape, const void *data);

bool dp_onnx_is_whole(const dp_tensor *tensor); /* holds whole numbers */

/* Element of a constant of whole numbers. */
int64_t dp_onnx_whole_at(const dp_onnx_value *value, size_t index);

/* A constant's elements as floats: in place, or kept with the file. */
deeper_status dp_onnx_floats(dp_onnx_importer *importer, const dp_onnx_value *value,
                             dp_onnx_parameter *floats);

/* Element of floats. */
static inline float dp_onnx_at(const dp_onnx_parameter *floats, size_t index) {
    return floats->values ? floats->values[index] : floats->fill;
}

size_t dp_onnx_elements(const dp_onnx_value *value); /* of a constant */

/* What QuantizeLinear can say: the type of its output (its zero point's; *dtype) and that type's
 * least and greatest value. zero: its input 2, may be NULL. Errors: no 8 or 16 bits. */
deeper_status dp_onnx_quantized_range(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                      const dp_onnx_value *zero, dp_dtype *dtype, float *min,
                                      float *max);

/* Counts floats that the file does not hold. Error: LIMIT, too many. */
deeper_status dp_onnx_charge(dp_onnx_importer *importer, size_t count);

/* Room for `count` floats that the file does not hold, kept with it. Errors: LIMIT, MEMORY. */
deeper_status dp_onnx_invent(dp_onnx_importer *importer, size_t count, float **floats);

/* A PARAMETER node "LAYER.suffix" with these values; its number in *node. */
deeper_status dp_onnx_add_parameter(dp_onnx_importer *importer, const char *layer,
                                    const char *suffix, dp_shape shape, dp_onnx_parameter values,
                                    int *node);

/* Adds a layer called as the ONNX node (or its output, where that has no name of its own), which is
 * the node's output 0 of `rank` dims with N. Errors: those of dp_graph_add with the node's name. */
deeper_status dp_onnx_add(dp_onnx_importer *importer, const Onnx__NodeProto *node, dp_op op,
                          const int *inputs, int count, const dp_attributes *attributes, int rank);

/* The name that dp_onnx_add gives: that of the layer whose value is the node's output 0, whole. */
enum { DP_ONNX_NAME = 320 };
deeper_status dp_onnx_layer_name(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                 char name[DP_ONNX_NAME]);

/* The name of a layer on the way to it, NAME.part. */
deeper_status dp_onnx_part_name(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                const char *part, char name[DP_ONNX_NAME]);

/* Adds a layer of a name from one of these two, and makes it nobody's output. */
deeper_status dp_onnx_add_named(dp_onnx_importer *importer, const char *name, dp_op op,
                                const int *inputs, int count, const dp_attributes *attributes,
                                int *layer);
deeper_status dp_onnx_add_part(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                               const char *part, dp_op op, const int *inputs, int count,
                               const dp_attributes *attributes, int *layer);

/* x * factor + term, one of each a channel, as a layer of a name from one of these two. */
deeper_status dp_onnx_add_scaled(dp_onnx_importer *importer, const char *name, int x,
                                 dp_onnx_parameter factor, dp_onnx_parameter term, int *layer);

/* Output `index` of the node as a value to be filled; NULL if the node leaves it out. */
dp_onnx_value *dp_onnx_output(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                              size_t index);

/* Output 0 as `layer` with these dims (rank counts N), or with those of a value of its shape. */
deeper_status dp_onnx_set(dp_onnx_importer *importer, const Onnx__NodeProto *node, int layer,
                          int rank, const int64_t *dims);
deeper_status dp_onnx_set_like(dp_onnx_importer *importer, const Onnx__NodeProto *node, int layer,
                               const dp_onnx_value *like);

/* The node's layer, whose value has the dims of `like`: what works element by element need not
 * settle them. */
deeper_status dp_onnx_add_like(dp_onnx_importer *importer, const Onnx__NodeProto *node, dp_op op,
                               const int *inputs, int count, const dp_attributes *attributes,
                               const dp_onnx_value *like);

/* Output `index` as another name of a value. */
deeper_status dp_onnx_alias(dp_onnx_importer *importer, const Onnx__NodeProto *node, size_t index,
                            const dp_onnx_value *value);

/* Refuses outputs after the first that somebody reads. */
deeper_status dp_onnx_one_output(dp_onnx_importer *importer, const Onnx__NodeProto *node);

/* *axis in 0..rank-1, counted from the end if it was negative. */
deeper_status dp_onnx_axis(dp_onnx_importer *importer, int64_t *axis, int rank);

/* Where a Slice begins or ends: an index, negative ones from the end, as one of 0..length. */
static inline int64_t dp_onnx_place(int64_t index, int64_t length) {
    index += index < 0 && index >= -length ? length : 0;
    return index < 0 ? 0 : index > length ? length : index;
}

/* Operators by name, ended by a row of NULL: on constants (onnx_constants.c, onnx_moves.c,
 * onnx_arithmetic.c), and on what depends on the picture (onnx_layers.c, onnx_elements.c,
 * onnx_composed.c, onnx_shapes.c). */
typedef struct dp_onnx_row {
    const char *name;
    dp_onnx_operator *run;
} dp_onnx_row;

extern const dp_onnx_row dp_onnx_constant_operators[], dp_onnx_move_operators[],
    dp_onnx_arithmetic_operators[], dp_onnx_layer_operators[], dp_onnx_element_operators[],
    dp_onnx_shape_operators[], dp_onnx_composed_operators[];

#endif
