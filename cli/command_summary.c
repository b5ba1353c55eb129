/* command_summary.c - a network as the paper's Table 1: one row a stage (stages.c), with parameters
 * and multiply-adds; or every layer with --layers. In 80 columns for the networks that are here. */
#include "app/json.h"
#include "commands.h"
#include "models.h"
#include "output.h"
#include "stages.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    CLI_ROW_ARCH("arch", 'a', "googlenet",
                 "an architecture, with options after a colon: googlenet:stem=separable"),
    CLI_OPTION_MODEL,
    CLI_OPTION_PIXELS("side of the input, with --arch"),
    CLI_OPTION_CLASSES("outputs of the last layer, with --arch"),
    CLI_ROW_FLAG("layers", 0, "a row for every layer"),
    CLI_ROW_FLAG("list", 0, "list the architectures and their options instead"),
};

/* What an operation is called where there is little room. */
static const char *short_name(const char *operation) {
    static const char *const names[][2] = {
        { "max_pool", "max" },       { "average_pool", "avg" }, { "adaptive_pool", "avg" },
        { "global_average", "avg" }, { "fc", "linear" },
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i][0], operation))
            return names[i][1];
    return operation;
}

static int out_of_memory(void) {
    return cli_error("out of memory");
}

/* "7x7/2"; empty for none. */
static const char *patch(int height, int width, int stride, char text[CLI_NUMBER_SIZE]) {
    text[0] = 0;
    if (height > 0)
        snprintf(text, CLI_NUMBER_SIZE, "%dx%d/%d", height, width, stride);
    return text;
}

static void put_stage(FILE *out, const cli_stage *s) {
    char window[CLI_NUMBER_SIZE], text[CLI_NUMBER_SIZE];
    patch(s->window_height, s->window_width, s->stride, window);
    fprintf(out, "%.*s\t%s%s%s\t%dx%dx%d\t", s->name_length, s->name, short_name(s->kind),
            *window ? " " : "", window, s->height, s->width, s->channels);
    if (s->depth)
        fprintf(out, "%d", s->depth);
    for (size_t i = 0; i < CLI_WIDTHS; i++) {
        putc('\t', out);
        if (s->widths[i])
            fprintf(out, "%d", s->widths[i]);
    }
    fprintf(out, "\t%s", s->parameters ? cli_short_count(s->parameters, text) : "");
    fprintf(out, "\t%s\n", s->multiply_adds ? cli_short_count(s->multiply_adds, text) : "");
}

/* Lines of cells for cli_print_table; false: memory is out. */
static bool print_lines(const char *alignment, void (*put)(FILE *out, const void *from),
                        const void *from) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return false;
    put(out, from);
    bool done = !fclose(out);
    if (done)
        cli_print_table(text, alignment);
    free(text);
    return done;
}

static const char heads_follow[] = "auxiliary heads (training only):\n";

static void put_stages(FILE *out, const void *from) {
    const cli_stages *stages = from;
    fputs("stage\ttype\toutput\tdepth\t1x1\t3x3r\t3x3\t5x5r\t5x5\tproj\tparams\tops\n", out);
    for (int auxiliary = 0; auxiliary < 2; auxiliary++)
        for (size_t i = 0, shown = 0; i < stages->count; i++)
            if (stages->rows[i].auxiliary == auxiliary) {
                if (auxiliary && !shown++)
                    fputs(heads_follow, out);
                put_stage(out, &stages->rows[i]);
            }
}

static void put_layers(FILE *out, const void *from) {
    const deeper_model *model = from;
    const size_t count = deeper_model_layers(model);
    fputs("layer\toperation\tpatch\toutput\tparams\tmult-adds\n", out);
    for (int auxiliary = 0; auxiliary < 2; auxiliary++)
        for (size_t i = 0, shown = 0; i < count; i++) {
            deeper_layer l;
            char text[CLI_NUMBER_SIZE];
            if (deeper_model_layer(model, i, &l, sizeof l, NULL) || !l.auxiliary != !auxiliary)
                continue;
            if (auxiliary && !shown++)
                fputs(heads_follow, out);
            fprintf(out, "%s\t%s\t%s\t%dx%dx%d", l.name, short_name(l.operation),
                    patch(l.window_height, l.window_width, l.stride_height, text), l.height,
                    l.width, l.channels);
            fprintf(out, "\t%s", l.parameters ? cli_grouped(l.parameters, text) : "");
            fprintf(out, "\t%s\n", l.multiply_adds ? cli_grouped(l.multiply_adds, text) : "");
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

static bool has_heads(const deeper_model *model) {
    return deeper_model_parameters(model, 1) != deeper_model_parameters(model, 0);
}

static void print_totals(const deeper_model *model, int depth) {
    char a[CLI_NUMBER_SIZE], b[CLI_NUMBER_SIZE];
    const char *chosen = deeper_model_text(model, "options");
    const int side = deeper_model_image_size(model);
    printf("\n%s: %d x %d x %d in, %zu classes, %d layers deep\n",
           deeper_model_text(model, "architecture"), side, side, deeper_model_channels(model),
           deeper_model_classes(model), depth);
    if (chosen && *chosen)
        cli_print_list("options ", chosen);
    printf("inference   %12s parameters  %15s multiply-adds an image\n",
           cli_grouped(deeper_model_parameters(model, 0), a),
           cli_grouped(deeper_model_multiply_adds(model, 0), b));
    if (has_heads(model))
        printf("with heads  %12s parameters  %15s multiply-adds an image\n",
               cli_grouped(deeper_model_parameters(model, 1), a),
               cli_grouped(deeper_model_multiply_adds(model, 1), b));
    printf("memory fp32 %12s parameters  %15s activations, all kept\n",
           cli_bytes(4 * deeper_model_parameters(model, 0), a),
           cli_bytes(activation_bytes(model), b));
}

static json_t *reads_json(const deeper_model *model, size_t layer) {
    json_t *list = json_array();
    size_t count = deeper_model_layer_inputs(model, layer, NULL, 0);
    size_t *inputs = calloc(count + 1, sizeof *inputs);
    if (inputs)
        deeper_model_layer_inputs(model, layer, inputs, count);
    for (size_t i = 0; inputs && i < count; i++)
        json_array_append_new(list, json_integer((json_int_t)inputs[i]));
    free(inputs);
    return list;
}

static json_t *layers_json(const deeper_model *model) {
    json_t *layers = json_array();
    for (size_t i = 0; i < deeper_model_layers(model); i++) {
        deeper_layer l;
        if (deeper_model_layer(model, i, &l, sizeof l, NULL))
            continue;
        json_array_append_new(
            layers,
            APP_OBJECT(
                app_text(KEY_name, l.name), app_text(KEY_operation, l.operation),
                app_value(KEY_reads, reads_json(model, i)),
                app_value(KEY_shape, app_json_wholes((int[]){ l.channels, l.height, l.width }, 3)),
                app_value(KEY_window,
                          app_json_wholes((int[]){ l.window_height, l.window_width }, 2)),
                app_value(KEY_stride,
                          app_json_wholes((int[]){ l.stride_height, l.stride_width }, 2)),
                app_truth(KEY_auxiliary, l.auxiliary), app_whole(KEY_parameters, l.parameters),
                app_whole(KEY_multiply_adds, l.multiply_adds),
                app_whole(KEY_output_bytes, l.output_bytes)));
    }
    return layers;
}

static void print_json(const deeper_model *model, int depth) {
    cli_print_json(
        APP_OBJECT(app_text(KEY_architecture, deeper_model_text(model, "architecture")),
                   app_text(KEY_options, deeper_model_text(model, "options")),
                   app_whole(KEY_image_size, deeper_model_image_size(model)),
                   app_whole(KEY_channels, deeper_model_channels(model)),
                   app_whole(KEY_classes, deeper_model_classes(model)), app_whole(KEY_depth, depth),
                   app_whole(KEY_parameters, deeper_model_parameters(model, 0)),
                   app_whole(KEY_parameters_with_heads, deeper_model_parameters(model, 1)),
                   app_whole(KEY_multiply_adds, deeper_model_multiply_adds(model, 0)),
                   app_whole(KEY_multiply_adds_with_heads, deeper_model_multiply_adds(model, 1)),
                   app_whole(KEY_output_bytes, activation_bytes(model)),
                   app_value(KEY_layers, layers_json(model))));
}

/* "lrn|bn|none", or "0.0625..4" for a number; NULL past the last option. */
static const char *option_values(size_t architecture, size_t index, char text[CLI_NUMBER_SIZE],
                                 const char **values) {
    double range[2] = { 0 };
    const char *name = deeper_architecture_option(architecture, index, values, range);
    snprintf(text, CLI_NUMBER_SIZE, "%g..%g", range[0], range[1]);
    if (name && !*values)
        *values = text;
    return name;
}

static json_t *settings_json(size_t architecture) {
    json_t *rows = json_array();
    char text[CLI_NUMBER_SIZE];
    const char *name, *values;
    for (size_t i = 0; (name = option_values(architecture, i, text, &values)) != NULL; i++)
        json_array_append_new(rows,
                              APP_OBJECT(app_text(KEY_name, name), app_text(KEY_values, values)));
    return rows;
}

static void print_options(size_t architecture) {
    char text[CLI_NUMBER_SIZE];
    const char *name, *values;
    for (size_t i = 0; (name = option_values(architecture, i, text, &values)) != NULL; i++)
        printf("%-12s %s=%s\n", "", name, values);
}

static int list_architectures(void) {
    const char *name, *about;
    for (size_t i = 0; (name = deeper_architecture(i, &about)) != NULL; i++) {
        if (cli_json()) {
            cli_print_json(APP_OBJECT(app_text(KEY_architecture, name), app_text(KEY_about, about),
                                      app_value(KEY_settings, settings_json(i))));
            continue;
        }
        printf("%-12s %s\n", name, about);
        print_options(i);
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
    cli_stages stages;
    if (cli_flag(args, "list"))
        return list_architectures();
    const cli_network_name name = cli_network_named(args);
    if (name.model && (cli_given(args, "size") || cli_given(args, "classes")))
        return cli_usage(args->command,
                         "--size and --classes go with --arch; a model file has its own");
    int classes = cli_integer(args, "classes"), size = cli_integer(args, "size");
    if (name.arch && !(args->operand_count && cli_given(args, "arch")))
        model = with_heads(name.arch, classes, size);
    int code = model ? CLI_DONE : cli_model_or_arch(&model, args, classes, size);
    if (code)
        return code;
    if (!cli_stages_of(&stages, model)) {
        deeper_model_close(model);
        return out_of_memory();
    }
    if (cli_json()) {
        print_json(model, stages.depth);
    } else {
        bool layers = cli_flag(args, "layers");
        if (!print_lines(layers ? "lllrrr" : "lllrrrrrrrrr", layers ? put_layers : put_stages,
                         layers ? (const void *)model : &stages))
            code = out_of_memory();
        print_totals(model, stages.depth);
    }
    cli_stages_free(&stages);
    deeper_model_close(model);
    return code;
}

const cli_command cli_command_summary = {
    .name = "summary",
    .summary = "show a network as the paper's Table 1",
    .operands = "[NETWORK]",
    .description = "NETWORK is an architecture or a model, as --arch and --model name one.\n"
                   "Stages with their type, patch and stride, output, depth, the widths of an "
                   "Inception module, parameters and "
                   "multiply-adds; totals for inference and with the auxiliary heads. With --json "
                   "every layer is listed.",
    .examples = "deeper summary vgg16\n"
                "deeper summary --arch googlenet:stem=separable --layers\n"
                "deeper summary --model flowers.safetensors --json\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .max_operands = 1,
    .operand = CLI_NETWORK,
    .run = run,
};
