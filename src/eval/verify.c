/* verify.c - see verify.h. One image at a time, so that all layers of it, of both sides, are all
 * that is held. */
#include "eval/verify.h"

#include "eval/layers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void dp_differences_free(dp_differences *differences) {
    dp_free(differences->allocator, differences->items);
    *differences = (dp_differences){ .allocator = differences->allocator };
}

/* ----------------------------------------------------------------------------------- one tensor */

/* Takes the comparison of one image into the difference if it is the worst so far. Error: NUMBER
 * where neither side has a number. */
static deeper_status compare(dp_difference *d, int image, const float *tested,
                             const float *reference, deeper_error *error) {
    size_t floats = dp_shape_floats(d->shape), at = 0;
    double largest = 0, absolute = 0;
    for (size_t i = 0; i < floats; i++) {
        double a = (double)tested[i], b = (double)reference[i], difference = fabs(a - b),
               value = fmax(fabs(a), fabs(b));
        if (isnan(a) && isnan(b))
            return dp_fail(error, DEEPER_ERROR_NUMBER,
                           "%s: value %zu of image %d is not a number on either side, so that they "
                           "cannot be compared",
                           d->name, i, image);
        if (a == b)
            difference = 0;
        else if (!isfinite(difference))
            difference = HUGE_VAL;
        if (difference > absolute) {
            absolute = difference;
            at = i;
        }
        if (isfinite(value))
            largest = fmax(largest, value);
    }
    double relative = absolute == 0                     ? 0
                      : isinf(absolute) || largest == 0 ? HUGE_VAL
                                                        : absolute / largest;
    if (image > 0 && relative <= d->relative)
        return DEEPER_OK;
    d->relative = relative;
    d->absolute = absolute;
    d->image = image;
    d->at = at;
    d->value = tested[at];
    d->reference = reference[at];
    return DEEPER_OK;
}

/* ------------------------------------------------------------------------------------- sessions */

/* A session that returns some nodes of a model, and room for one image of each. */
typedef struct runner {
    const deeper_allocator *allocator;
    dp_packs *packs; /* of its own, or NULL */
    dp_session *session;
    int *nodes;
    float **outputs;
    int count;
} runner;

static void runner_close(runner *r) {
    for (int i = 0; r->outputs && i < r->count; i++)
        dp_free(r->allocator, r->outputs[i]);
    dp_free(r->allocator, r->outputs);
    dp_free(r->allocator, r->nodes);
    dp_session_free(r->session);
    dp_packs_free(r->packs);
}

/* nodes are set; packs NULL: its own. */
static deeper_status runner_start(runner *r, const dp_model *model, dp_packs *packs,
                                  const dp_verify_options *with, deeper_error *error) {
    const dp_session_options options = { .max_batch = 1,
                                         .threads = with->threads,
                                         .tuning = with->tuning,
                                         .outputs = r->nodes,
                                         .output_count = r->count };
    if (!packs) {
        DP_TRY(dp_packs_create(&r->packs, r->allocator, error));
        packs = r->packs;
    }
    DP_TRY(dp_session_create(&r->session, model, packs, &options, error));
    r->outputs = dp_alloc(r->allocator, (size_t)r->count, sizeof *r->outputs);
    for (int i = 0; r->outputs && i < r->count; i++)
        if (!(r->outputs[i] = dp_alloc_raw(r->allocator,
                                           dp_shape_floats(model->graph->nodes[r->nodes[i]].shape),
                                           sizeof(float))))
            return dp_fail_memory(error, "the tensors of a network");
    return r->outputs ? DEEPER_OK : dp_fail_memory(error, "the tensors of a network");
}

static bool runner_reserve(runner *r, size_t count, const deeper_allocator *allocator) {
    *r = (runner){ .allocator = allocator };
    r->nodes = dp_alloc(allocator, count, sizeof *r->nodes);
    return r->nodes != NULL;
}

/* ----------------------------------------------------------------------------------- recordings */

/* What "RECORDED=LAYER,..." says of an array; NULL: nothing. *length: of the text. */
static const char *other_name(const char *names, const char *recorded, size_t *length) {
    size_t size = strlen(recorded);
    while (names && *names) {
        size_t whole = strcspn(names, ",");
        if (whole > size && names[size] == '=' && memcmp(names, recorded, size) == 0) {
            *length = whole - size - 1;
            return names + size + 1;
        }
        names += whole + (names[whole] == ',');
    }
    return NULL;
}

static deeper_status check_names(const char *names, const dp_recording *recording,
                                 deeper_error *error) {
    for (const char *at = names; at && *at;) {
        size_t whole = strcspn(at, ","), size = strcspn(at, "=,");
        bool known = false;
        for (size_t i = 0; i < recording->count && size < whole; i++)
            known = known
                    || (strlen(recording->tensors[i].name) == size
                        && memcmp(recording->tensors[i].name, at, size) == 0);
        if (!known)
            return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                           "names: '%.*s' is not RECORDED=LAYER of an array of the recording",
                           (int)(whole < 100 ? whole : 100), at);
        at += whole + (at[whole] == ',');
    }
    return DEEPER_OK;
}

/* The layer name that an array stands for, into `text`. */
static const char *layer_name(const char *names, const dp_tensor *tensor, char text[512]) {
    size_t length = 0;
    const char *other = other_name(names, tensor->name, &length);
    if (!other || length >= 512)
        return tensor->name;
    memcpy(text, other, length);
    text[length] = '\0';
    return text;
}

static bool is_input(const char *name, const char *layer) {
    size_t length = strlen(name);
    return strcmp(name, layer) == 0 || strcmp(name, "input") == 0
           || (length > 6 && strcmp(name + length - 6, "_input") == 0);
}

/* A recording against a model: the input, and for each difference its array. */
typedef struct reading {
    const dp_recording *recording;
    const dp_tensor *input;
    const dp_tensor **arrays; /* of each difference */
    int images;
} reading;

static deeper_status find_input(reading *r, const dp_model *model, const char *names,
                                deeper_error *error) {
    const dp_node *input = &model->graph->nodes[model->input];
    char text[512], shape[DP_TENSOR_SHAPE_TEXT];
    size_t floats = dp_shape_floats(input->shape), elements = 0;
    for (size_t i = 0; i < r->recording->count && !r->input; i++)
        if (is_input(layer_name(names, &r->recording->tensors[i], text), input->name))
            r->input = &r->recording->tensors[i];
    if (!r->input)
        return dp_fail(
            error, DEEPER_ERROR_MISMATCH,
            "the recording has no input: an array named \"input\" or \"%s\" (or say which: "
            "NAME=%s)",
            input->name, input->name);
    const size_t *sides = r->input->shape;
    int rank = r->input->rank;
    if ((rank != 3 && rank != 4) || sides[rank - 3] != (size_t)input->shape.c
        || sides[rank - 2] != (size_t)input->shape.h || sides[rank - 1] != (size_t)input->shape.w
        || !dp_tensor_elements(r->input, &elements) || elements / floats > INT32_MAX
        || elements < floats)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "the recorded input %s is %s; the network takes Nx%dx%dx%d", r->input->name,
                       dp_tensor_shape_text(r->input, shape), input->shape.c, input->shape.h,
                       input->shape.w);
    r->images = (int)(elements / floats);
    return DEEPER_OK;
}

/* One difference for each array, in the order of computation; those without a layer last. */
static deeper_status list_arrays(dp_differences *out, reading *r, const dp_model *model,
                                 const char *names, deeper_error *error) {
    const dp_graph *graph = model->graph;
    char text[512];
    size_t compared = 0;
    for (size_t i = 0; i < r->recording->count; i++) {
        const dp_tensor *tensor = &r->recording->tensors[i];
        size_t elements = 0, each, at = out->count;
        if (tensor == r->input)
            continue;
        bool fits = dp_tensor_elements(tensor, &elements) && elements % (size_t)r->images == 0;
        each = fits ? elements / (size_t)r->images : 0;
        int node = each ? dp_layers_find(graph, layer_name(names, tensor, text), each) : -1;
        int rank = node < 0 ? graph->count : node;
        for (; at > 0
               && (out->items[at - 1].node < 0 ? graph->count : out->items[at - 1].node) > rank;
             at--) {
            out->items[at] = out->items[at - 1];
            r->arrays[at] = r->arrays[at - 1];
        }
        out->items[at] = (dp_difference){ .name = node < 0 ? NULL : graph->nodes[node].name,
                                          .other = tensor->name,
                                          .node = node };
        if (node >= 0)
            out->items[at].shape = graph->nodes[node].shape;
        r->arrays[at] = tensor;
        out->count++;
        compared += node >= 0;
    }
    return compared
               ? DEEPER_OK
               : dp_fail(error, DEEPER_ERROR_MISMATCH,
                         "no array of the recording has the name and size of a layer of %s; say "
                         "which is which: NAME=LAYER",
                         model->architecture);
}

/* floats values of a tensor from `begin` on. */
static void read_part(const dp_tensor *tensor, size_t begin, size_t floats, float *to) {
    dp_tensor part = *tensor;
    size_t element = dp_dtype_bytes(tensor->dtype);
    part.data = (const char *)tensor->data + begin * element;
    part.bytes = floats * element;
    dp_tensor_read(&part, to);
}

/* Nodes that the session returns: each once, though several arrays may be of it. */
static void list_nodes(runner *r, const dp_differences *out) {
    for (size_t i = 0; i < out->count && out->items[i].node >= 0; i++)
        if (i == 0 || out->items[i].node != out->items[i - 1].node)
            r->nodes[r->count++] = out->items[i].node;
}

static deeper_status compare_recording(dp_differences *out, const reading *r, runner *tested,
                                       const dp_model *model, const dp_verify_options *options,
                                       deeper_error *error) {
    size_t input_floats = dp_shape_floats(dp_model_input(model)), max = input_floats;
    for (size_t i = 0; i < out->count; i++)
        max = out->items[i].node >= 0 && dp_shape_floats(out->items[i].shape) > max
                  ? dp_shape_floats(out->items[i].shape)
                  : max;
    float *floats = dp_alloc_raw(out->allocator, max, sizeof *floats);
    if (!floats)
        return dp_fail_memory(error, "a recorded tensor");
    deeper_status status = DEEPER_OK;
    for (int image = 0; image < r->images && status == DEEPER_OK; image++) {
        read_part(r->input, (size_t)image * input_floats, input_floats, floats);
        dp_session_run(tested->session, floats, 1, tested->outputs);
        for (size_t i = 0, place = 0;
             status == DEEPER_OK && i < out->count && out->items[i].node >= 0; i++) {
            dp_difference *d = &out->items[i];
            size_t size = dp_shape_floats(d->shape);
            place += i > 0 && d->node != d[-1].node;
            read_part(r->arrays[i], (size_t)image * size, size, floats);
            status = compare(d, image, tested->outputs[place], floats, error);
        }
        if (options->progress)
            options->progress(options->context, (uint64_t)image + 1, (uint64_t)r->images);
    }
    dp_free(out->allocator, floats);
    return status;
}

deeper_status dp_verify_recording(dp_differences *out, const dp_model *model, dp_packs *packs,
                                  const dp_recording *recording, const dp_verify_options *options,
                                  deeper_error *error) {
    *out = (dp_differences){ .allocator = model->allocator };
    reading r = { .recording = recording };
    runner tested = { 0 };
    DP_TRY(check_names(options->names, recording, error));
    DP_TRY(find_input(&r, model, options->names, error));
    out->images = r.images;
    out->items = dp_alloc(out->allocator, recording->count, sizeof *out->items);
    r.arrays = dp_alloc(out->allocator, recording->count, sizeof *r.arrays);
    deeper_status status =
        out->items && r.arrays && runner_reserve(&tested, recording->count, out->allocator)
            ? list_arrays(out, &r, model, options->names, error)
            : dp_fail_memory(error, "the list of recorded tensors");
    if (status == DEEPER_OK) {
        list_nodes(&tested, out);
        status = runner_start(&tested, model, packs, options, error);
    }
    if (status == DEEPER_OK)
        status = compare_recording(out, &r, &tested, model, options, error);
    runner_close(&tested);
    dp_free(out->allocator, r.arrays);
    if (status != DEEPER_OK)
        dp_differences_free(out);
    return status;
}

/* ----------------------------------------------------------------------------------- two models */

/* A difference and an output of both sides for each pair of layers. */
static deeper_status list_pairs(dp_differences *out, runner *tested, runner *reference,
                                const dp_graph *a, const dp_graph *b, deeper_error *error) {
    int *match = dp_alloc(out->allocator, (size_t)a->count, sizeof *match);
    if (!match)
        return dp_fail_memory(error, "the layers of two networks");
    deeper_status status = dp_layers_match(match, a, b, out->allocator, error);
    for (int i = 0; status == DEEPER_OK && i < a->count; i++) {
        if (match[i] < 0)
            continue;
        tested->nodes[tested->count++] = i;
        reference->nodes[reference->count++] = match[i];
        out->items[out->count++] = (dp_difference){ .name = a->nodes[i].name,
                                                    .other = b->nodes[match[i]].name,
                                                    .node = i,
                                                    .shape = a->nodes[i].shape };
    }
    dp_free(out->allocator, match);
    if (status == DEEPER_OK && out->count == 0)
        status = dp_fail(error, DEEPER_ERROR_MISMATCH, "the two networks have no layer in common");
    return status;
}

static deeper_status compare_models(dp_differences *out, runner *tested, runner *reference,
                                    float *input, const dp_verify_options *options,
                                    deeper_error *error) {
    for (int image = 0; image < options->images; image++) {
        DP_TRY(options->fill(options->context, image, input, error));
        dp_session_run(tested->session, input, 1, tested->outputs);
        dp_session_run(reference->session, input, 1, reference->outputs);
        for (size_t i = 0; i < out->count; i++)
            DP_TRY(
                compare(&out->items[i], image, tested->outputs[i], reference->outputs[i], error));
        if (options->progress)
            options->progress(options->context, (uint64_t)image + 1, (uint64_t)options->images);
    }
    return DEEPER_OK;
}

deeper_status dp_verify_models(dp_differences *out, const dp_model *model, dp_packs *packs,
                               const dp_model *other, const dp_verify_options *options,
                               deeper_error *error) {
    dp_shape a = dp_model_input(model), b = dp_model_input(other);
    *out = (dp_differences){ .allocator = model->allocator, .images = options->images };
    if (!dp_shape_equal(a, b))
        return dp_fail(error, DEEPER_ERROR_MISMATCH, "the inputs differ: %dx%dx%d and %dx%dx%d",
                       a.c, a.h, a.w, b.c, b.h, b.w);
    runner tested = { 0 }, reference = { 0 };
    size_t nodes = (size_t)model->graph->count;
    float *input = dp_alloc_raw(out->allocator, dp_shape_floats(a), sizeof *input);
    out->items = dp_alloc(out->allocator, nodes, sizeof *out->items);
    deeper_status status =
        input && out->items && runner_reserve(&tested, nodes, out->allocator)
                && runner_reserve(&reference, nodes, out->allocator)
            ? list_pairs(out, &tested, &reference, model->graph, other->graph, error)
            : dp_fail_memory(error, "the list of layers");
    if (status == DEEPER_OK)
        status = runner_start(&tested, model, packs, options, error);
    if (status == DEEPER_OK)
        status = runner_start(&reference, other, NULL, options, error);
    if (status == DEEPER_OK)
        status = compare_models(out, &tested, &reference, input, options, error);
    runner_close(&tested);
    runner_close(&reference);
    dp_free(out->allocator, input);
    if (status != DEEPER_OK)
        dp_differences_free(out);
    return status;
}
