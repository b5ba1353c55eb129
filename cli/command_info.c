/* command_info.c - says what a file or folder is to deeper (a model, a picture, a data set, saved
 * answers, a tuning) and whether it is sound. */
#include "app/json.h"
#include "base/open.h"
#include "boxes.h"
#include "commands.h"
#include "models.h"
#include "output.h"
#include "scores.h"
#include "sets.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    HEAD = 512,          /* bytes that tell what a file is */
    CHECK_UP_TO = 20000, /* pictures of a set that are all decoded without being asked for: some ten
                            seconds */
    NAMED_UP_TO = 20,    /* faulty pictures that are named without being asked for: the wrong folder
                            has thousands */
    TAR_MAGIC = 257      /* where a tar says "ustar" */
};

static const cli_option options[] = {
    CLI_OPTION_MAX_PIXELS,
    CLI_OPTION_MAX_MEMORY,
    CLI_ROW_FLAG("check", 0,
                 "decode every picture of a data set, however many there are (up to 20,000: "
                 "always), and name all that is wrong "
                 "with it, not only the first 20"),
};

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

/* A tar of pictures or an IDX file, gzipped or not. */
static bool head_is_set(const unsigned char *head, size_t size) {
    return (size >= TAR_MAGIC + 5 && !memcmp(head + TAR_MAGIC, "ustar", 5))
           || (size >= 2 && !memcmp(head, "\x1f\x8b", 2))
           || (size >= 4 && !memcmp(head, "\0\0\x08", 3) && (head[3] == 1 || head[3] == 3));
}

static json_t *with_sound(json_t *object) {
    app_put(object, app_truth(KEY_sound, true));
    return object;
}

static int info_picture(const char *path) {
    deeper_image *image = NULL;
    deeper_error error = { 0 };
    if (deeper_image_open(&image, path, NULL, &error))
        return cli_failure(&error);
    int width = deeper_image_width(image), height = deeper_image_height(image);
    if (cli_json())
        cli_print_json(
            with_sound(APP_OBJECT(app_text(KEY_kind, "picture"), app_text(KEY_path, path),
                                  app_whole(KEY_width, width), app_whole(KEY_height, height))));
    else
        printf("picture   %d x %d (after orientation), sound\n", width, height);
    deeper_image_close(image);
    return CLI_DONE;
}

/* ------------------------------------------------------------------------------------- data set */

/* The pictures to train on and, or NULL, those to validate with. */
typedef struct set_pair {
    deeper_dataset *train, *val;
    bool checked; /* `soundness` is set, else only its empty classes */
    bool all;     /* problems are named, however many */
    size_t problems;
    cli_progress progress;
    deeper_dataset_soundness soundness;
} set_pair;

static void print_classes(const deeper_dataset *dataset, const char *what) {
    char text[CLI_NUMBER_SIZE];
    size_t classes = deeper_dataset_classes(dataset), all = deeper_dataset_images(dataset);
    printf("%-12s %s picture%s in %zu class%s\n", what, cli_grouped(all, text), all == 1 ? "" : "s",
           classes, classes == 1 ? "" : "es");
    for (size_t i = 0; i < classes; i++) {
        size_t images = 0;
        const char *name = deeper_dataset_class(dataset, i, &images);
        if (!images)
            continue;
        printf("%11zu  ", images);
        cli_print_text(name);
        putchar('\n');
    }
}

static json_t *classes_json(const deeper_dataset *dataset) {
    json_t *classes = json_array();
    for (size_t i = 0; i < deeper_dataset_classes(dataset); i++) {
        size_t images = 0;
        const char *name = deeper_dataset_class(dataset, i, &images);
        json_array_append_new(classes,
                              APP_OBJECT(app_text(KEY_name, name), app_whole(KEY_images, images)));
    }
    return classes;
}

static void show_progress(void *context, uint64_t done, uint64_t total) {
    set_pair *sets = context;
    cli_progress_show(&sets->progress, done, total);
}

static void show_problem(void *context, const char *name, const char *message) {
    set_pair *sets = context;
    if (sets->all || sets->problems < NAMED_UP_TO)
        cli_error("%s", message);
    sets->problems++;
}

/* What can be said without decoding: a list's classes are the numbers up to the largest, and one
 * that it does not use is no fault. */
static void find_empty(set_pair *sets, const deeper_dataset *dataset, const char *path) {
    for (size_t i = 0; dataset && i < deeper_dataset_classes(dataset); i++) {
        size_t count = 0;
        const char *name = deeper_dataset_class(dataset, i, &count);
        if (count || deeper_dataset_numbered(dataset))
            continue;
        sets->soundness.empty_classes++;
        cli_error("%s: class '%s' has no pictures", path, name);
    }
}

static bool check_sets(const cli_args *args, set_pair *sets, const char *path,
                       deeper_error *error) {
    deeper_dataset_check_options check = DEEPER_DATASET_CHECK_OPTIONS_INIT;
    check.max_pixels = cli_count(args, "max-pixels");
    check.max_memory = cli_count(args, "max-memory");
    if (!sets->checked) {
        find_empty(sets, sets->train, path);
        find_empty(sets, sets->val, path);
        return true;
    }
    check.progress = show_progress;
    check.problem = show_problem;
    check.context = sets;
    cli_progress_begin(&sets->progress, "pictures", 0);
    deeper_status status = deeper_dataset_check(sets->train, sets->val, &check, &sets->soundness,
                                                sizeof sets->soundness, error);
    cli_progress_end();
    if (!sets->all && sets->problems > NAMED_UP_TO)
        cli_error("%s: and %zu more; --check names them all", path, sets->problems - NAMED_UP_TO);
    return status == DEEPER_OK;
}

/* Which folders the pictures are those of, where these are not the one that was named. */
static void print_parts(const set_pair *sets, const char *path) {
    if (!strcmp(deeper_dataset_path(sets->train), path))
        return;
    printf("%-12s ", "parts");
    cli_print_text(deeper_dataset_path(sets->train));
    if (sets->val) {
        fputs(", ", stdout);
        cli_print_text(deeper_dataset_path(sets->val));
    }
    putchar('\n');
}

static void print_sets(const set_pair *sets, const char *path, bool sound) {
    const deeper_dataset_soundness *soundness = &sets->soundness;
    char fingerprint[CLI_NUMBER_SIZE];
    snprintf(fingerprint, sizeof fingerprint, "%016llx",
             (unsigned long long)deeper_dataset_fingerprint(sets->train));
    if (!cli_json()) {
        print_classes(sets->train, sets->val ? "train" : "data set");
        if (sets->val)
            print_classes(sets->val, "validate");
        print_parts(sets, path);
        printf("%-12s %s\n", "fingerprint", fingerprint);
        if (sets->checked)
            printf("%-12s %llu unreadable, %llu of the same pixels in two classes, %llu in "
                   "training and validation, %llu repeated, "
                   "%llu "
                   "tiny\n",
                   "found", (unsigned long long)soundness->unreadable,
                   (unsigned long long)soundness->conflicting,
                   (unsigned long long)soundness->leaked, (unsigned long long)soundness->repeated,
                   (unsigned long long)soundness->tiny);
        puts(!sound          ? "not sound"
             : sets->checked ? "sound"
                             : "names and classes are sound; --check decodes the pictures");
        return;
    }
    json_t *object =
        APP_OBJECT(app_text(KEY_kind, "dataset"), app_text(KEY_path, path),
                   app_text(KEY_data, deeper_dataset_path(sets->train)),
                   app_whole(KEY_images, deeper_dataset_images(sets->train)),
                   app_whole(KEY_empty_classes, soundness->empty_classes),
                   app_whole(KEY_classes, (json_int_t)deeper_dataset_classes(sets->train)),
                   app_value(KEY_class_images, classes_json(sets->train)),
                   app_text(KEY_fingerprint, fingerprint), app_truth(KEY_checked, sets->checked),
                   app_truth(KEY_sound, sound));
    if (sets->val)
        app_put(
            object,
            app_value(KEY_val, APP_OBJECT(app_text(KEY_data, deeper_dataset_path(sets->val)),
                                          app_whole(KEY_images, deeper_dataset_images(sets->val)),
                                          app_value(KEY_class_images, classes_json(sets->val)))));
    if (sets->checked) {
        app_put(object, app_whole(KEY_unreadable, soundness->unreadable));
        app_put(object, app_whole(KEY_tiny, soundness->tiny));
        app_put(object, app_whole(KEY_conflicting, soundness->conflicting));
        app_put(object, app_whole(KEY_leaked, soundness->leaked));
        app_put(object, app_whole(KEY_repeated, soundness->repeated));
    }
    cli_print_json(object);
}

static int info_dataset(const cli_args *args, const char *path) {
    set_pair sets = { 0 };
    deeper_error error = { 0 };
    int code = CLI_FAILED;
    if (deeper_dataset_open_pair(&sets.train, &sets.val, path, NULL, NULL, &error))
        return cli_failure(&error);
    cli_set_notes(sets.train);
    cli_set_notes(sets.val);
    size_t images = deeper_dataset_images(sets.train) + deeper_dataset_images(sets.val);
    sets.all = cli_flag(args, "check");
    sets.checked = sets.all || images <= CHECK_UP_TO;
    if (check_sets(args, &sets, path, &error)) {
        bool sound = !sets.soundness.unreadable && !sets.soundness.conflicting
                     && !sets.soundness.leaked && !sets.soundness.empty_classes;
        print_sets(&sets, path, sound);
        code = sound ? CLI_DONE : CLI_FAILED;
    } else {
        code = cli_failure(&error);
    }
    deeper_dataset_close(sets.val);
    deeper_dataset_close(sets.train);
    return code;
}

/* ---------------------------------------------------------------------------------------- model */

static int info_model(const char *path, uint64_t bytes) {
    static const app_key keys[] = { KEY_format,        KEY_architecture, KEY_options,
                                    KEY_preprocessing, KEY_recipe,       KEY_source };
    deeper_model *model = NULL;
    deeper_error error = { 0 };
    char text[CLI_NUMBER_SIZE];
    deeper_model_options with_values = DEEPER_MODEL_OPTIONS_INIT;
    with_values.check_values = 1;
    if (deeper_model_open(&model, path, &with_values, &error))
        return cli_failure(&error);
    size_t classes = deeper_model_classes(model);
    bool labelled = *deeper_model_class_name(model, 0) || *deeper_model_class_id(model, 0);
    uint64_t parameters = deeper_model_parameters(model, 1),
             multiply_adds = deeper_model_multiply_adds(model, 0);
    json_t *object = APP_OBJECT(app_text(KEY_kind, "model"), app_text(KEY_path, path),
                                app_whole(KEY_bytes, bytes));
    if (!cli_json())
        printf("%-14s %s\n", "model", cli_bytes(bytes, text));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = deeper_model_text(model, app_key_name(keys[i]));
        app_put(object, app_text(keys[i], value));
        bool unknown = !value && keys[i] == KEY_preprocessing;
        if ((unknown || (value && *value)) && !cli_json()) {
            printf("%-14s ", app_key_name(keys[i]));
            cli_print_text(unknown ? "unknown; commands that take pictures ask for --preprocess"
                                   : value);
            putchar('\n');
        }
    }
    app_put(object, app_whole(KEY_image_size, deeper_model_image_size(model)));
    app_put(object, app_whole(KEY_channels, deeper_model_channels(model)));
    app_put(object, app_whole(KEY_classes, classes));
    app_put(object, app_truth(KEY_labels, labelled));
    app_put(object, app_whole(KEY_parameters, deeper_model_parameters(model, 0)));
    app_put(object, app_whole(KEY_parameters_with_heads, parameters));
    app_put(object, app_whole(KEY_multiply_adds, multiply_adds));
    if (cli_json()) {
        cli_print_json(with_sound(object));
    } else {
        json_decref(object);
        printf("%-14s %zu%s\n", "classes", classes,
               labelled ? ", with ids or names" : ", without labels");
        printf("%-14s %s", "parameters", cli_grouped(deeper_model_parameters(model, 0), text));
        printf(", %s multiply-adds an image", cli_grouped(multiply_adds, text));
        if (parameters != deeper_model_parameters(model, 0))
            printf("; %s parameters with auxiliary heads", cli_grouped(parameters, text));
        puts("\nsound");
    }
    deeper_model_close(model);
    return CLI_DONE;
}

/* -------------------------------------------------------------------------------- saved answers */

static bool head_is_answers(const unsigned char *head, size_t size) {
    static const char mark[] = "DPJRNL1\n";
    return size >= sizeof mark - 1 && !memcmp(head, mark, sizeof mark - 1);
}

/* Every record is read, so what is told is sound. */
static int info_answers(const char *path, uint64_t bytes) {
    deeper_scores *scores = NULL;
    deeper_error error = { 0 };
    if (deeper_scores_open(&scores, &path, 1, 0, DEEPER_COMBINE_MEAN, NULL, &error))
        return cli_failure(&error);
    cli_scores_about(scores, path, bytes);
    deeper_scores_close(scores);
    return CLI_DONE;
}

/* --------------------------------------------------------------------------------------- tuning */

/* JSON that says it is one, as 'deeper tune' begins its files. */
static bool head_is_tuning(const unsigned char *head, size_t size) {
    static const char mark[] = "\"deeper_tuning\"";
    size_t begin = 0;
    while (begin < size && isspace(head[begin]))
        begin++;
    return begin < size && head[begin] == '{' && memmem(head, size, mark, sizeof mark - 1);
}

static void print_tuning(const deeper_tuning_contents *contents, uint64_t bytes) {
    char text[CLI_NUMBER_SIZE];
    printf("%-14s %s\n%-14s ", "tuning", cli_bytes(bytes, text), "machine");
    cli_print_text(contents->machine);
    puts(contents->here ? "" : "; another one than this: not used here");
    for (int i = 0; i < contents->set_count; i++)
        printf("%-14s %d choice%s, %d of them direct\n", contents->sets[i].isa,
               contents->sets[i].choices, contents->sets[i].choices == 1 ? "" : "s",
               contents->sets[i].direct);
    puts(contents->set_count ? "sound" : "no choices, sound");
}

static int info_tuning(const char *path, uint64_t bytes) {
    deeper_tuning_contents contents;
    deeper_error error = { 0 };
    if (deeper_tuning_examine(path, &contents, sizeof contents, &error))
        return cli_error("%s ('deeper tune')", error.message);
    if (!cli_json()) {
        print_tuning(&contents, bytes);
        return CLI_DONE;
    }
    json_t *sets = json_array();
    for (int i = 0; i < contents.set_count; i++) {
        const deeper_tuning_set *set = &contents.sets[i];
        json_array_append_new(sets, APP_OBJECT(app_text(KEY_isa, set->isa),
                                               app_whole(KEY_choices, set->choices),
                                               app_whole(KEY_direct, set->direct)));
    }
    cli_print_json(
        with_sound(APP_OBJECT(app_text(KEY_kind, "tuning"), app_text(KEY_path, path),
                              app_whole(KEY_bytes, bytes), app_text(KEY_machine, contents.machine),
                              app_truth(KEY_used, contents.here), app_value(KEY_sets, sets))));
    return CLI_DONE;
}

static int run(const cli_args *args) {
    unsigned char head[HEAD];
    struct stat status;
    char *path = cli_model_path(args->operands[0]);
    if (!path)
        return CLI_FAILED;
    int code = CLI_FAILED;
    const char *why;
    int file = -1;
    bool there = !stat(path, &status);
    const bool boxes =
        there && (S_ISDIR(status.st_mode) || S_ISREG(status.st_mode)) && deeper_boxes_at(path);
    if (boxes) {
        code = cli_info_boxes(path, cli_flag(args, "check"));
    } else if (there ? S_ISDIR(status.st_mode)
                     : strchr(path, ':') != NULL) { /* "set.tar:inner/folder" */
        code = info_dataset(args, path);
    } else if ((file = dp_open(path, &status, &why)) < 0) {
        cli_error("%s: %s", path, why ? why : strerror(errno));
    } else {
        ssize_t got = pread(file, head, sizeof head, 0);
        size_t size = got > 0 ? (size_t)got : 0;
        if (head_is_picture(head, size))
            code = info_picture(path);
        else if (head_is_tuning(head, size))
            code = info_tuning(path, (uint64_t)status.st_size);
        else if (head_is_text(head, size) || head_is_set(head, size))
            code = info_dataset(args, path);
        else if (head_is_answers(head, size))
            code = info_answers(path, (uint64_t)status.st_size);
        else
            code = info_model(path, (uint64_t)status.st_size);
        close(file);
    }
    free(path);
    return code;
}

const cli_command cli_command_info = {
    .name = "info",
    .summary = "say what a file or folder is, and whether it is sound",
    .operands = "FILE|FOLDER|TAR:FOLDER",
    .description =
        "A model, or the folder of a run: its architecture, options, preprocessing, labels, origin "
        "and size. A data set (a folder "
        "of class folders, a "
        "tar of them, a CSV of paths and labels, a list of \"PATH LABEL\" lines, or IDX pictures): "
        "its classes and counts, "
        "and what is wrong with its "
        "pictures: those that cannot be read, the same picture in two classes or in the training "
        "and the validation part, classes "
        "without pictures. A picture: its size. Saved answers of 'eval --save-probs': models, "
        "pictures, crops, shard, accuracy. A set with boxes (Pascal VOC, COCO, YOLO, CSV, window "
        "file): its classes, boxes and their sizes, part by part, and what is unsound, by name. "
        "The file of 'deeper tune': machine, whether it is used here, choices. "
        "The kind is found by content. The exit code is 1 if the file is damaged or the set "
        "is not sound; pictures that are tiny or repeated in their class are only counted.",
    .examples = "deeper info googlenet.safetensors\n"
                "deeper info flowers.tar\n"
                "deeper info --check --json flowers/train\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .min_operands = 1,
    .max_operands = 1,
    .operand = CLI_MODEL,
    .run = run,
};
