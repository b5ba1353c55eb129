/* command_info.c - says what a file or folder is to deeper (a model, a picture, a data set) and whether it is sound. */
#include "commands.h"
#include "models.h"
#include "output.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { HEAD = 512 }; /* bytes that tell what a file is */

/* Whether the first bytes are those of a picture that deeper reads. */
static bool head_is_picture(const unsigned char *head, size_t size) {
    static const struct {
        const char *bytes;
        size_t size;
    } marks[] = { { "\xff\xd8\xff", 3 }, { "\x89PNG", 4 }, { "RIFF", 4 }, { "BM", 2 } };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (size >= marks[i].size && !memcmp(head, marks[i].bytes, marks[i].size))
            return true;
    return size >= 3 && head[0] == 'P' && head[1] >= '1' && head[1] <= '6' && isspace(head[2]);
}

/* Text, such as a list of "PATH LABEL" lines: bytes of any code page, no control bytes. */
static bool head_is_text(const unsigned char *head, size_t size) {
    for (size_t i = 0; i < size; i++)
        if ((head[i] < 0x20 && !strchr("\t\n\r", head[i])) || !head[i])
            return false;
    return size > 0;
}

static json_t *with_sound(json_t *object) {
    json_object_set_new(object, "sound", json_true());
    return object;
}

static int info_picture(const char *path) {
    deeper_image *image = NULL;
    deeper_error error = { 0 };
    if (deeper_image_open(&image, path, NULL, &error))
        return cli_failure(&error);
    int width = deeper_image_width(image), height = deeper_image_height(image);
    if (cli_json())
        cli_print_json(with_sound(
            json_pack("{s:s, s:o, s:i, s:i}", "kind", "picture", "path", cli_json_text(path), "width", width, "height", height)));
    else
        printf("picture   %d x %d (after orientation), sound\n", width, height);
    deeper_image_close(image);
    return CLI_DONE;
}

/* ----------------------------------------------------------------------------------------------------------- data set */

static void print_classes(const deeper_dataset *dataset) {
    for (size_t i = 0; i < deeper_dataset_classes(dataset); i++) {
        size_t images = 0;
        const char *name = deeper_dataset_class(dataset, i, &images);
        if (!images)
            continue;
        printf("%8zu  ", images);
        cli_print_text(name);
        putchar('\n');
    }
}

static json_t *classes_json(const deeper_dataset *dataset) {
    json_t *classes = json_array();
    for (size_t i = 0; i < deeper_dataset_classes(dataset); i++) {
        size_t images = 0;
        const char *name = deeper_dataset_class(dataset, i, &images);
        json_array_append_new(classes, json_pack("{s:o, s:I}", "name", cli_json_text(name), "images", (json_int_t)images));
    }
    return classes;
}

/* numbered: a list, whose classes are the numbers up to the largest; one that it does not use is no fault. */
static int info_dataset(const char *path, bool numbered) {
    deeper_dataset *dataset = NULL;
    deeper_error error = { 0 };
    char text[CLI_NUMBER_SIZE];
    if (deeper_dataset_open(&dataset, path, NULL, NULL, &error))
        return cli_failure(&error);
    size_t images = deeper_dataset_images(dataset), classes = deeper_dataset_classes(dataset), empty = 0;
    for (size_t i = 0; i < classes; i++) {
        size_t count = 0;
        const char *name = deeper_dataset_class(dataset, i, &count);
        if (!count && !numbered && ++empty)
            cli_error("%s: class '%s' has no pictures", path, name);
    }
    if (cli_json()) {
        cli_print_json(json_pack("{s:s, s:o, s:I, s:I, s:o, s:b}", "kind", "dataset", "path", cli_json_text(path), "images",
                                 (json_int_t)images, "empty_classes", (json_int_t)empty, "classes", classes_json(dataset), "sound",
                                 !empty));
    } else {
        printf("data set  %s pictures in %zu classes\n", cli_grouped(images, text), classes);
        print_classes(dataset);
    }
    deeper_dataset_close(dataset);
    return empty ? CLI_FAILED : CLI_DONE;
}

/* -------------------------------------------------------------------------------------------------------------- model */

static int info_model(const char *path, uint64_t bytes) {
    static const char *const keys[] = { "format", "architecture", "options", "preprocessing", "source" };
    deeper_model *model = NULL;
    deeper_error error = { 0 };
    char text[CLI_NUMBER_SIZE];
    if (deeper_model_open(&model, path, NULL, &error))
        return cli_failure(&error);
    size_t classes = deeper_model_classes(model);
    bool labelled = *deeper_model_class_name(model, 0) || *deeper_model_class_id(model, 0);
    uint64_t parameters = deeper_model_parameters(model, 1), multiply_adds = deeper_model_multiply_adds(model, 0);
    json_t *object = json_pack("{s:s, s:o, s:I}", "kind", "model", "path", cli_json_text(path), "bytes", (json_int_t)bytes);
    if (!cli_json())
        printf("%-14s %s\n", "model", cli_bytes(bytes, text));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = deeper_model_text(model, keys[i]);
        json_object_set_new(object, keys[i], value ? cli_json_text(value) : json_null());
        if (value && *value && !cli_json()) {
            printf("%-14s ", keys[i]);
            cli_print_text(value);
            putchar('\n');
        }
    }
    json_object_set_new(object, "image_size", json_integer(deeper_model_image_size(model)));
    json_object_set_new(object, "channels", json_integer(deeper_model_channels(model)));
    json_object_set_new(object, "classes", json_integer((json_int_t)classes));
    json_object_set_new(object, "labels", json_boolean(labelled));
    json_object_set_new(object, "parameters", json_integer((json_int_t)deeper_model_parameters(model, 0)));
    json_object_set_new(object, "parameters_with_heads", json_integer((json_int_t)parameters));
    json_object_set_new(object, "multiply_adds", json_integer((json_int_t)multiply_adds));
    if (cli_json()) {
        cli_print_json(with_sound(object));
    } else {
        json_decref(object);
        printf("%-14s %zu%s\n", "classes", classes, labelled ? ", with ids or names" : ", without labels");
        printf("%-14s %s", "parameters", cli_grouped(parameters, text));
        printf(", %s multiply-adds an image\nsound\n", cli_grouped(multiply_adds, text));
    }
    deeper_model_close(model);
    return CLI_DONE;
}

static int run(const cli_args *args) {
    unsigned char head[HEAD];
    struct stat status;
    char *path = cli_model_path(args->operands[0]);
    if (!path)
        return CLI_FAILED;
    int code = CLI_FAILED;
    FILE *file = NULL;
    if (!stat(path, &status) && S_ISDIR(status.st_mode)) {
        code = info_dataset(path, false);
    } else if ((file = fopen(path, "re")) == NULL) {
        cli_error("%s: %s", path, strerror(errno));
    } else {
        size_t size = fread(head, 1, sizeof head, file);
        if (head_is_picture(head, size))
            code = info_picture(path);
        else if (head_is_text(head, size))
            code = info_dataset(path, true);
        else
            code = info_model(path, (uint64_t)status.st_size);
        fclose(file);
    }
    free(path);
    return code;
}

const cli_command cli_command_info = {
    .name = "info",
    .summary = "say what a file or folder is, and whether it is sound",
    .operands = "FILE|FOLDER",
    .description =
        "A model: its architecture, options, preprocessing, labels, origin and size. A data set (a folder of class folders, or "
        "a list of \"PATH LABEL\" lines): its classes and counts. A picture: its size. The kind is found by content. The exit "
        "code is 1 if the file is damaged or a class has no pictures.",
    .examples = "deeper info googlenet.safetensors\n"
                "deeper info --json flowers/train\n",
    .least_operands = 1,
    .most_operands = 1,
    .run = run,
};
