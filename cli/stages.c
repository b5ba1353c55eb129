/* stages.c - see stages.h. A layer here is the library's, with what it reads and how deep it lies.
 *
 * Depth is the paper's: layers with parameters that cost multiply-adds, on the longest way from the
 * input. A window of its own for each channel and 1x1 across the channels right after it (no
 * activation between) are one such layer, the factored convolution whose counts Table 1 prints; so
 * are an average and the factor that LeNet-5 multiplies it by. */
#include "stages.h"

#include <stdlib.h>
#include <string.h>

typedef struct layer {
    deeper_layer is;
    size_t *inputs; /* into the shared array */
    size_t input_count;
    size_t stage;
    size_t readers, stage_readers; /* layers that read it; those of them in its own stage */
    size_t spread;                 /* the window that it follows as its 1x1, or itself */
    int depth_before, depth;
} layer;

typedef struct network {
    layer *layers;
    size_t *inputs;
    size_t count;
    cli_stages *stages;
} network;

static bool does(const layer *l, const char *operation) {
    return !strcmp(l->is.operation, operation);
}

static bool has_weights(const layer *l) {
    return l->is.parameters > 0 && l->is.multiply_adds > 0;
}

static bool is_conv(const layer *l) {
    return l->is.window_height > 0 && l->is.parameters > 0;
}

static bool is_pool(const layer *l) {
    return l->is.window_height > 0 && l->is.parameters == 0;
}

static bool is_point(const layer *l) {
    return is_conv(l) && l->is.window_height == 1 && l->is.window_width == 1;
}

/* What names a stage: the name up to its first '/', of those that have one inside. */
static size_t stage_length(const char *name) {
    return *name == '/' ? 1 + strcspn(name + 1, "/") : strcspn(name, "/");
}

/* The stage of a name, a new one at the end if it is the first of it. */
static size_t stage_of(cli_stages *stages, const deeper_layer *l) {
    size_t length = stage_length(l->name), i = 0;
    while (i < stages->count
           && ((size_t)stages->rows[i].name_length != length
               || memcmp(stages->rows[i].name, l->name, length) != 0
               || stages->rows[i].auxiliary != (l->auxiliary != 0)))
        i++;
    if (i == stages->count)
        stages->rows[stages->count++] = (cli_stage){ .name = l->name,
                                                     .name_length = (int)length,
                                                     .auxiliary = l->auxiliary != 0 };
    return i;
}

/* ------------------------------------------------------------------------------- from the graph */

/* How deep a layer lies, and which window it completes. All layers that it reads are done. */
static void place(network *net, size_t index) {
    layer *l = &net->layers[index];
    l->spread = index;
    for (size_t i = 0; i < l->input_count; i++) {
        layer *input = &net->layers[l->inputs[i]];
        l->depth_before = input->depth > l->depth_before ? input->depth : l->depth_before;
        input->readers++;
        input->stage_readers += input->stage == l->stage;
    }
    const layer *input = l->input_count == 1 ? &net->layers[l->inputs[0]] : NULL;
    if (input && is_point(l) && !is_point(input) && input->stage == l->stage
        && (does(input, "conv") || does(input, "average_pool")))
        l->spread = l->inputs[0];
    bool counted = l->spread != index && has_weights(input);
    l->depth = l->depth_before + (has_weights(l) && !counted);
}

static bool read_layers(network *net, const deeper_model *model) {
    size_t edges = 0, at = 0;
    for (size_t i = 0; i < net->count; i++)
        edges += deeper_model_layer_inputs(model, i, NULL, 0);
    net->inputs = calloc(edges + 1, sizeof *net->inputs);
    net->layers = calloc(net->count + 1, sizeof *net->layers);
    net->stages->rows = calloc(net->count + 1, sizeof *net->stages->rows);
    if (!net->inputs || !net->layers || !net->stages->rows)
        return false;
    for (size_t i = 0; i < net->count; i++) {
        layer *l = &net->layers[i];
        if (deeper_model_layer(model, i, &l->is, sizeof l->is, NULL))
            return false;
        l->inputs = net->inputs + at;
        l->input_count = deeper_model_layer_inputs(model, i, l->inputs, edges - at);
        at += l->input_count;
        l->stage = stage_of(net->stages, &l->is);
        place(net, i);
        if (!l->is.auxiliary && l->depth > net->stages->depth)
            net->stages->depth = l->depth;
    }
    return true;
}

/* ---------------------------------------------------------------------------------- of one stage
 */

/* What a branch of a module is made of, from its end back to where it leaves the stage. */
typedef struct branch {
    const layer *last, *first; /* convolutions; NULL: none */
    bool pooled;               /* it begins with a pool */
} branch;

static branch branch_of(const network *net, size_t end) {
    branch b = { 0 };
    const size_t stage = net->layers[end].stage;
    for (size_t at = end; net->layers[at].stage == stage; at = net->layers[at].inputs[0]) {
        const layer *l = &net->layers[at];
        if (is_conv(l)) {
            b.last = b.last ? b.last : l;
            b.first = l;
            b.pooled = false;
        }
        b.pooled |= is_pool(l);
        if (l->input_count != 1)
            break;
    }
    return b;
}

static void set_width(cli_stage *row, int which, const layer *of) {
    if (!row->widths[which])
        row->widths[which] = of->is.channels;
}

static void add_branch(cli_stage *row, branch b) {
    if (!b.last)
        return;
    if (b.pooled || is_point(b.last)) {
        set_width(row, b.pooled ? CLI_PROJECTION : CLI_1X1, b.last);
        return;
    }
    bool wide =
        b.last->is.window_height >= 5 || b.last->is.window_width >= 5 || row->widths[CLI_3X3] > 0;
    set_width(row, wide ? CLI_5X5 : CLI_3X3, b.last);
    if (b.first != b.last && is_point(b.first))
        set_width(row, wide ? CLI_REDUCE5 : CLI_REDUCE3, b.first);
}

/* Whether branches that end in windows of different sizes are joined: an Inception module, where
 * the maps of LeNet-5's C3 are one layer in pieces. */
static bool joins_windows(const network *net, const layer *end) {
    int first = 0, different = 0;
    for (size_t i = 0; i < end->input_count; i++) {
        branch b = branch_of(net, end->inputs[i]);
        int window = b.last && !b.pooled ? b.last->is.window_height : -1;
        first = i == 0 ? window : first;
        different += window != first;
    }
    return different > 0;
}

/* The channels of everything that leaves a stage: of the maps that are layers of their own, their
 * sum. */
static void set_output(const network *net, cli_stage *row, size_t stage) {
    for (size_t i = 0; i < net->count; i++) {
        const layer *l = &net->layers[i];
        if (l->stage != stage || l->stage_readers > 0)
            continue;
        bool more = row->height == l->is.height && row->width == l->is.width;
        row->channels = l->is.channels + (more ? row->channels : 0);
        row->height = l->is.height;
        row->width = l->is.width;
    }
}

/* The operation that gives a row its character: the one of most multiply-adds, else one with a
 * window, else the first. */
static const layer *character(const network *net, size_t stage) {
    const layer *best = NULL;
    uint64_t best_weight = 0;
    for (size_t i = 0; i < net->count; i++) {
        const layer *l = &net->layers[i], *spread = &net->layers[l->spread];
        uint64_t weight = 1 + (l->is.window_height > 0)
                          + (has_weights(l) ? l->is.multiply_adds + spread->is.multiply_adds : 0);
        if (l->stage != stage || weight <= best_weight)
            continue;
        best = spread;
        best_weight = weight;
    }
    return best;
}

/* Whether the stage ends in a module of branches, whose widths it then has; else those of a
 * convolution with a reduction before it. */
static bool set_widths(const network *net, cli_stage *row, size_t stage) {
    size_t end = net->count;
    while (end > 0 && net->layers[end - 1].stage != stage)
        end--;
    const layer *last = &net->layers[end - 1];
    bool module = does(last, "concat") && joins_windows(net, last);
    for (size_t i = 0; module && i < last->input_count; i++)
        add_branch(row, branch_of(net, last->inputs[i]));
    branch b = branch_of(net, end - 1);
    if (!module && b.last && b.first != b.last && b.last->spread == (size_t)(b.last - net->layers))
        add_branch(row, b);
    return module;
}

static void describe(const network *net, cli_stage *row, size_t stage) {
    int before = -1, after = 0;
    for (size_t i = 0; i < net->count; i++) {
        const layer *l = &net->layers[i];
        if (l->stage != stage)
            continue;
        before = before < 0 || l->depth_before < before ? l->depth_before : before;
        after = l->depth > after ? l->depth : after;
        row->parameters += l->is.parameters;
        row->multiply_adds += l->is.multiply_adds;
    }
    row->depth = after - before;
    set_output(net, row, stage);
    bool module = !row->auxiliary && set_widths(net, row, stage);
    const layer *by = character(net, stage);
    row->kind = row->auxiliary ? "head" : module ? "inception" : by->is.operation;
    if (!row->auxiliary && !module) {
        row->window_height = by->is.window_height;
        row->window_width = by->is.window_width;
        row->stride = by->is.stride_height;
    }
}

bool cli_stages_of(cli_stages *stages, const deeper_model *model) {
    *stages = (cli_stages){ 0 };
    network net = { .count = deeper_model_layers(model), .stages = stages };
    bool done = read_layers(&net, model);
    size_t kept = 0;
    for (size_t i = 0; done && i < stages->count; i++) {
        describe(&net, &stages->rows[i], i);
        /* An activation by itself changes no shape and costs nothing; the paper does not list
         * it. */
        if (strcmp(stages->rows[i].kind, "relu") && strcmp(stages->rows[i].kind, "input"))
            stages->rows[kept++] = stages->rows[i];
    }
    stages->count = kept;
    free(net.inputs);
    free(net.layers);
    if (!done)
        cli_stages_free(stages);
    return done;
}

void cli_stages_free(cli_stages *stages) {
    free(stages->rows);
    *stages = (cli_stages){ 0 };
}
