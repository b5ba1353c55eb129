/* command_summary.c - a network as the paper's Table 1: one row a stage, its columns computed from
 * the layers' names, with parameters and multiply-adds; or every layer with --layers. Letters: C H
 * W channels, rows, columns of an output. */
#include "commands.h"
#include "models.h"
#include "output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    CLI_ROW_TEXT("arch", 'a', "ARCH", "googlenet",
                 "an architecture, with options after a colon: googlenet:stem=separable"),
    CLI_OPTION_MODEL,
    CLI_OPTION_PIXELS("side of the input, with --arch"),
    CLI_OPTION_CLASSES("outputs of the last layer, with --arch"),
    CLI_ROW_FLAG("layers", 0, "a row for every layer"),
    CLI_ROW_FLAG("list", 0, "list the architectures and their options instead"),
};

/* The widths that Table 1 lists, by the last part of a layer's name. */
enum { WIDTH_COUNT = 6 };
static const struct {
    const char *leaf, *variant, *title; /* variant: the name where branch5=3x3 */
} widths[WIDTH_COUNT] = {
    { "1x1", "", "#1x1" },         { "3x3_reduce", "", "#3x3r" }, { "3x3", "", "#3x3" },
    { "5x5_reduce", "", "#5x5r" }, { "5x5", "3x3_b", "#5x5" },    { "pool_proj", "", "proj" },
};

/* How a row is called, by the operation that gives the row its character. */
static const struct {
    const char *operation, *title;
} titles[] = {
    { "conv", "convolution" },        { "max_pool", "max pool" }, { "average_pool", "avg pool" },
    { "global_average", "avg pool" }, { "fc", "linear" },         { "lrn", "response norm" },
};

/* One row: consecutive layers with the same first part of the name. */
typedef struct row {
    const char *name;
    size_t name_length;
    const char
        *operation; /* of the layer with most multiply-adds, else with a window, else the first */
    uint64_t operation_weight;
    int window_height, window_width, stride, width[WIDTH_COUNT], depth;
    bool inception, auxiliary;
    int channels, height, breadth; /* output of the last layer */
    uint64_t parameters, multiply_adds;
} row;

static size_t group_length(const char *name) {
    return strcspn(name, "/");
}

static void row_add(row *to, const deeper_layer *layer) {
    const char *leaf = layer->name + group_length(layer->name);
    leaf += *leaf == '/';
    uint64_t weight =
        1 + (layer->window_height > 0) + (layer->parameters ? 1 + layer->multiply_adds : 0);
    for (size_t i = 0; i < WIDTH_COUNT; i++)
        if (layer->window_height > 0 && *leaf
            && (!strcmp(leaf, widths[i].leaf) || !strcmp(leaf, widths[i].variant)))
            to->width[i] = layer->channels;
    to->inception |= !strcmp(layer->operation, "concat");
    to->depth += layer->parameters && layer->multiply_adds;
    if (weight > to->operation_weight) {
        to->operation = layer->operation;
        to->operation_weight = weight;
        to->window_height = layer->window_height;
        to->window_width = layer->window_width;
        to->stride = layer->stride_height;
    }
    to->channels = layer->channels;
    to->height = layer->height;
    to->breadth = layer->width;
    to->parameters += layer->parameters;
    to->multiply_adds += layer->multiply_adds;
}

/* A count as the paper prints it, "159.5K" or "128.0M"; empty for none. */
static const char *paper_count(uint64_t count, double unit, char letter,
                               char text[CLI_NUMBER_SIZE]) {
    text[0] = 0;
    if (count)
        snprintf(text, CLI_NUMBER_SIZE, "%.1f%c", (double)count / unit, letter);
    return text;
}

static void row_print(const row *r) {
    char kind[32] = "", window[32] = "", output[48], parameters[CLI_NUMBER_SIZE],
         operations[CLI_NUMBER_SIZE];
    bool single = !r->inception && !r->auxiliary; /* one layer stands for the row */
    snprintf(kind, sizeof kind, "%s",
             r->inception   ? "inception"
             : r->auxiliary ? "head"
                            : r->operation);
    for (size_t i = 0; i < sizeof titles / sizeof *titles && single; i++)
        if (!strcmp(titles[i].operation, r->operation))
            snprintf(kind, sizeof kind, "%s", titles[i].title);
    if (single && r->window_height)
        snprintf(window, sizeof window, "%dx%d/%d", r->window_height, r->window_width, r->stride);
    snprintf(output, sizeof output, "%dx%dx%d", r->height, r->breadth, r->channels);
    printf("%-20.*s %-19s %-7s %-12s ", (int)r->name_length, r->name, kind, window, output);
    if (r->depth)
        printf("%5d", r->inception ? 1 + (r->width[1] > 0) : r->depth);
    else
        printf("%5s", "");
    for (size_t i = 0; i < WIDTH_COUNT; i++)
        if (r->width[i])
            printf(" %5d", r->width[i]);
        else
            printf(" %5s", "");
    printf(" %9s %9s\n", paper_count(r->parameters, 1e3, 'K', parameters),
           paper_count(r->multiply_adds, 1e6, 'M', operations));
}

static void print_rows(const deeper_model *model, int auxiliary) {
    row current = { 0 };
    size_t count = deeper_model_layers(model);
    for (size_t i = 0; i < count; i++) {
        deeper_layer layer;
        if (deeper_model_layer(model, i, &layer, sizeof layer, NULL)
            || !layer.auxiliary != !auxiliary)
            continue;
        size_t length = group_length(layer.name);
        bool same = current.name && current.name_length == length
                    && !memcmp(current.name, layer.name, length);
        if (!same) {
            if (current.name)
                row_print(&current);
            /* An activation by itself changes no shape and costs nothing; the paper does not list
             * it. */
            current = (row){ 0 };
            if (!strcmp(layer.operation, "relu") || !strcmp(layer.operation, "input"))
                continue;
            current = (row){ .name = layer.name,
                             .name_length = length,
                             .auxiliary = layer.auxiliary != 0 };
        }
        row_add(&current, &layer);
    }
    if (current.name)
        row_print(&current);
}

static void print_table(const deeper_model *model) {
    printf("%-20s %-19s %-7s %-12s %5s", "stage", "type", "patch", "output", "depth");
    for (size_t i = 0; i < WIDTH_COUNT; i++)
        printf(" %5s", widths[i].title);
    printf(" %9s %9s\n", "params", "mult-adds");
    print_rows(model, 0);
    if (deeper_model_parameters(model, 1) != deeper_model_parameters(model, 0)) {
        puts("auxiliary heads (training only):");
        print_rows(model, 1);
    }
}

static void print_layers(const deeper_model *model) {
    size_t count = deeper_model_layers(model);
    printf("%-32s %-14s %-8s %-14s %12s %14s\n", "layer", "operation", "patch", "output", "params",
           "mult-adds");
    for (size_t i = 0; i < count; i++) {
        deeper_layer layer;
        char window[32] = "", output[48], parameters[CLI_NUMBER_SIZE], operations[CLI_NUMBER_SIZE];
        if (deeper_model_layer(model, i, &layer, sizeof layer, NULL))
            continue;
        if (layer.window_height)
            snprintf(window, sizeof window, "%dx%d/%d", layer.window_height, layer.window_width,
                     layer.stride_height);
        snprintf(output, sizeof output, "%dx%dx%d", layer.height, layer.width, layer.channels);
        printf("%-32s %-14s %-8s %-14s %12s %14s%s\n", layer.name, layer.operation, window, output,
               cli_grouped(layer.parameters, parameters),
               cli_grouped(layer.multiply_adds, operations),
               layer.auxiliary ? "  (training only)" : "");
    }
}

/* Sum of the outputs of the layers that inference runs, each kept: the most that a run without
 * re-use of memory would hold. */
static uint64_t activation_bytes(const deeper_model *model) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < deeper_model_layers(model); i++) {
        deeper_layer layer;
        if (!deeper_model_layer(model, i, &layer, sizeof layer, NULL) && !layer.auxiliary)
            bytes += layer.output_bytes;
    }
    return bytes;
}

static void print_totals(const deeper_model *model) {
    char a[CLI_NUMBER_SIZE], b[CLI_NUMBER_SIZE];
    const char *variant = deeper_model_text(model, "options");
    printf("\n%s%s%s, %d x %d x %d in, %zu classes; sizes are rows x columns x channels\n",
           deeper_model_text(model, "architecture"), variant && *variant ? ":" : "",
           variant ? variant : "", deeper_model_image_size(model), deeper_model_image_size(model),
           deeper_model_channels(model), deeper_model_classes(model));
    printf("inference            %15s parameters  %17s multiply-adds an image\n",
           cli_grouped(deeper_model_parameters(model, 0), a),
           cli_grouped(deeper_model_multiply_adds(model, 0), b));
    if (deeper_model_parameters(model, 1) != deeper_model_parameters(model, 0))
        printf("with auxiliary heads %15s parameters  %17s multiply-adds an image\n",
               cli_grouped(deeper_model_parameters(model, 1), a),
               cli_grouped(deeper_model_multiply_adds(model, 1), b));
    printf("memory (fp32)        %15s parameters  %17s activations an image if all were kept\n",
           cli_bytes(4 * deeper_model_parameters(model, 0), a),
           cli_bytes(activation_bytes(model), b));
}

static json_t *layers_json(const deeper_model *model) {
    json_t *layers = json_array();
    for (size_t i = 0; i < deeper_model_layers(model); i++) {
        deeper_layer l;
        if (deeper_model_layer(model, i, &l, sizeof l, NULL))
            continue;
        json_array_append_new(
            layers,
            json_pack("{s:s, s:s, s:[iii], s:[ii], s:[ii], s:b, s:I, s:I, s:I}", "name", l.name,
                      "operation", l.operation, "output", l.channels, l.height, l.width, "window",
                      l.window_height, l.window_width, "stride", l.stride_height, l.stride_width,
                      "auxiliary", l.auxiliary, "parameters", (json_int_t)l.parameters,
                      "multiply_adds", (json_int_t)l.multiply_adds, "output_bytes",
                      (json_int_t)l.output_bytes));
    }
    return layers;
}

static void print_json(const deeper_model *model) {
    cli_print_json(json_pack(
        "{s:s?, s:s?, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "architecture",
        deeper_model_text(model, "architecture"), "options", deeper_model_text(model, "options"),
        "image_size", deeper_model_image_size(model), "channels", deeper_model_channels(model),
        "classes", (json_int_t)deeper_model_classes(model), "parameters",
        (json_int_t)deeper_model_parameters(model, 0), "parameters_with_heads",
        (json_int_t)deeper_model_parameters(model, 1), "multiply_adds",
        (json_int_t)deeper_model_multiply_adds(model, 0), "multiply_adds_with_heads",
        (json_int_t)deeper_model_multiply_adds(model, 1), "activation_bytes",
        (json_int_t)activation_bytes(model), "layers", layers_json(model)));
}

static int list_architectures(void) {
    const char *name, *about;
    for (size_t i = 0; (name = deeper_architecture(i, &about)) != NULL; i++) {
        if (cli_json())
            cli_print_json(json_pack("{s:s, s:s}", "architecture", name, "about", about));
        else
            printf("%-12s %s\n", name, about);
    }
    return CLI_DONE;
}

/* The architecture of --arch with its auxiliary heads, which the library leaves out unless asked,
 * but the paper's table and totals want. NULL if it has none (or too small a picture for them), or
 * if the user says which it is to be. */
static deeper_model *with_heads(const char *arch, int classes, int size) {
    deeper_model *model = NULL;
    char *spec = NULL;
    if (strstr(arch, "aux=")
        || asprintf(&spec, "%s%caux=1", arch, strchr(arch, ':') ? ',' : ':') < 0)
        return NULL;
    deeper_status status = deeper_model_create(&model, spec, classes, size, NULL, NULL);
    free(spec);
    return status ? NULL : model;
}

static int run(const cli_args *args) {
    deeper_model *model = NULL;
    if (cli_flag(args, "list"))
        return list_architectures();
    if (cli_given(args, "model") && (cli_given(args, "size") || cli_given(args, "classes")))
        return cli_usage(args->command,
                         "--size and --classes go with --arch; a model file has its own");
    int classes = cli_integer(args, "classes"), size = cli_integer(args, "size");
    if (!cli_given(args, "model"))
        model = with_heads(cli_text(args, "arch"), classes, size);
    int code = model ? CLI_DONE : cli_model_or_arch(&model, args, classes, size);
    if (code)
        return code;
    if (cli_json()) {
        print_json(model);
    } else {
        (cli_flag(args, "layers") ? print_layers : print_table)(model);
        print_totals(model);
    }
    deeper_model_close(model);
    return CLI_DONE;
}

const cli_command cli_command_summary = {
    .name = "summary",
    .summary = "show a network as the paper's Table 1",
    .operands = "",
    .description = "Stages with their type, patch and stride, output, depth, the widths of an "
                   "Inception module, parameters and "
                   "multiply-adds; totals for inference and with the auxiliary heads. With --json "
                   "every layer is listed.",
    .examples = "deeper summary --arch googlenet\n"
                "deeper summary --arch googlenet:stem=separable --layers\n"
                "deeper summary --model flowers.safetensors --json\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
