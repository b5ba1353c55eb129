/* command_convert.c - a model from one file format to another. Reading and writing are the
 * library's. */
#include "app/json.h"
#include "commands.h"
#include "models.h"
#include "output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const cli_option options[] = {
    CLI_OPTION_LABELS,
    CLI_OPTION_PREPROCESS,
    CLI_OPTION_ANSWER,
    CLI_ROW_FLAG("with-preprocessing", 0,
                 "ONNX: channel order, mean and scale as a part of the network, which then takes "
                 "RGB of 0..255"),
    CLI_ROW_FLAG("list", 0,
                 "list the formats that can be written, and what --preprocess knows by name"),
};

static void print_result(const deeper_model *model, int with_heads, const char *in,
                         const char *out) {
    struct stat status;
    uint64_t bytes = stat(out, &status) ? 0 : (uint64_t)status.st_size;
    uint64_t parameters = deeper_model_parameters(model, with_heads);
    char text[CLI_NUMBER_SIZE], more[CLI_NUMBER_SIZE];
    if (cli_json()) {
        cli_print_json(
            APP_OBJECT(app_text(KEY_input, in), app_text(KEY_output, out),
                       app_text(KEY_format, deeper_model_text(model, "format")),
                       app_text(KEY_architecture, deeper_model_text(model, "architecture")),
                       app_whole(KEY_classes, deeper_model_classes(model)),
                       app_whole(KEY_parameters, parameters), app_whole(KEY_bytes, bytes)));
        return;
    }
    cli_print_text(out);
    printf(": %s, %s parameters, %s\n", deeper_model_text(model, "architecture"),
           cli_grouped(parameters, text), cli_bytes(bytes, more));
}

/* Whether the library writes a format of this file's ending. */
static bool has_ending(const char *path) {
    const char *ending;
    for (size_t i = 0; (ending = deeper_model_ending(i, NULL)) != NULL; i++)
        if (strlen(path) > strlen(ending) && !strcmp(path + strlen(path) - strlen(ending), ending))
            return true;
    return false;
}

static int fail_ending(const cli_args *args, const char *path) {
    char endings[128] = "";
    const char *ending;
    for (size_t i = 0; (ending = deeper_model_ending(i, NULL)) != NULL; i++) {
        strncat(endings, i ? ", " : "", sizeof endings - strlen(endings) - 1);
        strncat(endings, ending, sizeof endings - strlen(endings) - 1);
    }
    return cli_usage(args->command, "%s: the ending says the format to write; there are %s", path,
                     endings);
}

static void list_rows(app_key key, const char *title,
                      const char *(*at)(size_t index, const char **about)) {
    const char *name, *about;
    if (!cli_json())
        printf("%s\n", title);
    for (size_t i = 0; (name = at(i, &about)) != NULL; i++) {
        if (cli_json())
            cli_print_json(APP_OBJECT(app_text(key, name), app_text(KEY_about, about)));
        else
            printf("  %-22s %s\n", name, about);
    }
}

static int list(void) {
    list_rows(KEY_ending, "OUT may end in", deeper_model_ending);
    list_rows(KEY_preprocess, "--preprocess may be", deeper_preprocessing);
    return CLI_DONE;
}

static int run(const cli_args *args) {
    if (cli_flag(args, "list"))
        return args->operand_count ? cli_usage(args->command, "--list takes no files") : list();
    if (args->operand_count < 2)
        return cli_usage(args->command, "two files are needed: IN OUT");
    const char *out = args->operands[1];
    deeper_model *model = NULL;
    deeper_error error = { 0 };
    int heads_left_out = 0;
    deeper_export_options export = DEEPER_EXPORT_OPTIONS_INIT;
    char *in = NULL;
    if (!has_ending(out))
        return fail_ending(args, out);
    int code = cli_sound_model_open(&model, args->operands[0], args, &in);
    if (code)
        return code;
    export.with_preprocessing = cli_flag(args, "with-preprocessing");
    export.heads_left_out = &heads_left_out;
    if (deeper_model_export(model, out, &export, &error))
        code = cli_failure(&error);
    else
        print_result(model, !heads_left_out, in, out);
    if (heads_left_out)
        cli_note("%s: without the auxiliary heads, which only train", out);
    deeper_model_close(model);
    free(in);
    return code;
}

const cli_command cli_command_convert = {
    .name = "convert",
    .summary = "write a model in another file format",
    .operands = "IN OUT",
    .description = "Reads a model file of any format that deeper knows, or a pulled model by name, "
                   "and writes OUT, whose ending says the "
                   "format (--list). OUT holds all that classifying needs: weights, labels and "
                   "preprocessing. It appears only when "
                   "it is complete; beside a .caffemodel the deploy form appears, OUT.prototxt. "
                   "A model whose weights are no finite numbers is refused. ONNX, and caffemodels "
                   "of small pictures, "
                   "are written without auxiliary heads; a note says so.",
    .examples = "deeper convert bvlc_googlenet.caffemodel googlenet.safetensors\n"
                "deeper convert googlenet.safetensors googlenet.npz    # for numpy.load\n"
                "deeper convert --with-preprocessing googlenet.safetensors googlenet.onnx\n"
                "deeper convert --list\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .max_operands = 2,
    .operand = CLI_MODEL,
    .run = run,
};
