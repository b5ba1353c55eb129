/* command_detect.c - detections of any program scored against a set of boxes. */
#include "app/json.h"
#include "boxes.h"
#include "commands.h"
#include "output.h"
#include "table.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    CLI_ROW_FILE("eval", 'e', "SET", CLI_A_BOXED_SET),
    CLI_ROW_FILE(
        "detections", 'd', "FILE",
        "what a detector found: COCO results, a folder of VOC's comp4_det_..._CLASS.txt or "
        "of YOLO's STEM.txt with scores, or a CSV table with a column score"),
    CLI_OPTION_BOXES_PART,
    CLI_OPTION_PHOTOS,
    CLI_ROW_WHOLE("resamples", 0, "N", "200", 0, 10000,
                  "draws of photos behind the intervals of 95 %; 0: no intervals"),
    CLI_ROW_FLAG("all-problems", 0, "name all that is wrong with set and detections, not only 20"),
};

/* What a row of figures says: "coco AP50". */
static void append(char **text, size_t *size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void append(char **text, size_t *size, const char *format, ...) {
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    char *more = length < 0 ? NULL : realloc(*text, *size + (size_t)length + 1);
    if (!more)
        return;
    const size_t taken = (size_t)length < sizeof line ? (size_t)length : sizeof line - 1;
    memcpy(more + *size, line, taken);
    *size += taken;
    more[*size] = '\0';
    *text = more;
}

/* A share as text; "" for none. */
static const char *share(double value, char text[CLI_NUMBER_SIZE]) {
    if (isnan(value))
        return "";
    snprintf(text, CLI_NUMBER_SIZE, "%.4f", value);
    return text;
}

static void print_figures(const deeper_box_scores *scores) {
    char *text = NULL, a[CLI_NUMBER_SIZE], b[CLI_NUMBER_SIZE], c[CLI_NUMBER_SIZE];
    size_t size = 0;
    append(&text, &size, "protocol\tfigure\tvalue\tfrom\tto\trule\n");
    for (size_t i = 0; i < deeper_box_scores_figures(scores); i++) {
        deeper_box_score row = { 0 };
        deeper_box_scores_figure(scores, i, &row, sizeof row, NULL);
        append(&text, &size, "%s\t%s\t%s\t%s\t%s\t%s\n", row.protocol, row.name,
               isnan(row.value) ? "-" : share(row.value, a), share(row.interval[0], b),
               share(row.interval[1], c), row.rule);
    }
    if (text)
        cli_print_table(text, "llrrrl");
    free(text);
}

/* Which figures stand in the table of classes: COCO's AP and AP50, then the other protocols'. */
static const size_t of_class[] = { 0, 1, 12, 13, 14 };
enum { OF_CLASS = sizeof of_class / sizeof *of_class };

static void print_classes(const deeper_box_scores *scores, const deeper_boxes *set) {
    char *text = NULL, a[CLI_NUMBER_SIZE];
    size_t size = 0;
    append(&text, &size, "boxes\tdetections");
    for (size_t f = 0; f < OF_CLASS; f++) {
        deeper_box_score row = { 0 };
        deeper_box_scores_figure(scores, of_class[f], &row, sizeof row, NULL);
        append(&text, &size, "\t%s %s", row.protocol, row.name);
    }
    append(&text, &size, "\tclass\n");
    for (size_t i = 0; i < deeper_boxes_classes(set); i++) {
        size_t detections = 0, boxes = deeper_box_scores_boxes(scores, i, &detections);
        if (!boxes && !detections)
            continue;
        append(&text, &size, "%zu\t%zu", boxes, detections);
        for (size_t f = 0; f < OF_CLASS; f++)
            append(&text, &size, "\t%s",
                   boxes ? share(deeper_box_scores_of_class(scores, of_class[f], i), a) : "-");
        append(&text, &size, "\t%s\n", deeper_boxes_class(set, i));
    }
    putchar('\n');
    if (text)
        cli_print_table(text, "rrrrrrrl");
    free(text);
}

static void print_mistakes(const deeper_box_scores *scores) {
    deeper_box_mistake mistake = { 0 };
    char *text = NULL;
    size_t size = 0;
    append(&text, &size, "mistakes\tcount\tAP50 gain\twhat\n");
    for (size_t i = 0;
         deeper_box_scores_mistake(scores, i, &mistake, sizeof mistake, NULL) == DEEPER_OK; i++)
        append(&text, &size, "%s\t%zu\t%.4f\t%s\n", mistake.name, mistake.count, mistake.gain,
               mistake.description);
    putchar('\n');
    if (text)
        cli_print_table(text, "lrrl");
    free(text);
}

static json_t *figures_json(const deeper_box_scores *scores) {
    json_t *list = json_array();
    for (size_t i = 0; i < deeper_box_scores_figures(scores); i++) {
        deeper_box_score row = { 0 };
        deeper_box_scores_figure(scores, i, &row, sizeof row, NULL);
        json_array_append_new(
            list, APP_OBJECT(app_text(KEY_protocol, row.protocol), app_text(KEY_name, row.name),
                             app_real(KEY_figure, row.value), app_real(KEY_low, row.interval[0]),
                             app_real(KEY_high, row.interval[1]), app_text(KEY_about, row.rule)));
    }
    return list;
}

static json_t *classes_json(const deeper_box_scores *scores, const deeper_boxes *set) {
    json_t *list = json_array();
    for (size_t i = 0; i < deeper_boxes_classes(set); i++) {
        size_t detections = 0, boxes = deeper_box_scores_boxes(scores, i, &detections);
        json_t *values = json_array();
        for (size_t f = 0; f < deeper_box_scores_figures(scores); f++)
            json_array_append_new(values, app_json_real(deeper_box_scores_of_class(scores, f, i)));
        json_array_append_new(list, APP_OBJECT(app_text(KEY_name, deeper_boxes_class(set, i)),
                                               app_whole(KEY_boxes, (json_int_t)boxes),
                                               app_whole(KEY_detections, (json_int_t)detections),
                                               app_value(KEY_by_figure, values)));
    }
    return list;
}

static json_t *mistakes_json(const deeper_box_scores *scores) {
    deeper_box_mistake mistake = { 0 };
    json_t *list = json_array();
    for (size_t i = 0;
         deeper_box_scores_mistake(scores, i, &mistake, sizeof mistake, NULL) == DEEPER_OK; i++)
        json_array_append_new(list, APP_OBJECT(app_text(KEY_name, mistake.name),
                                               app_whole(KEY_count, (json_int_t)mistake.count),
                                               app_real(KEY_gain, mistake.gain),
                                               app_text(KEY_about, mistake.description)));
    return list;
}

static void print_scores(const deeper_box_scores *scores, const deeper_boxes *set,
                         const deeper_detections *detections) {
    const char *part = deeper_boxes_text(set, "part");
    size_t boxes = 0, count = 0;
    deeper_boxes_truth(set, &boxes);
    deeper_detections_array(detections, &count);
    if (!cli_json()) {
        printf("%-12s %s%s%s: %zu photos, %zu boxes, %zu classes\n", "set",
               deeper_boxes_text(set, "form"), part ? ", part " : "", part ? part : "",
               deeper_boxes_photos(set), boxes, deeper_boxes_classes(set));
        cli_faults_print(cli_set_fault, set);
        printf("%-12s %zu\n", "detections", count);
        cli_faults_print(cli_detections_fault, detections);
        putchar('\n');
        print_figures(scores);
        print_classes(scores, set);
        print_mistakes(scores);
        return;
    }
    cli_print_json(APP_OBJECT(
        app_text(KEY_data, deeper_boxes_text(set, "path")),
        app_text(KEY_format, deeper_boxes_text(set, "form")), app_text(KEY_part, part),
        app_whole(KEY_images, (json_int_t)deeper_boxes_photos(set)),
        app_whole(KEY_boxes, (json_int_t)boxes), app_whole(KEY_detections, (json_int_t)count),
        app_value(KEY_figures, figures_json(scores)),
        app_value(KEY_class_figures, classes_json(scores, set)),
        app_value(KEY_mistakes, mistakes_json(scores)),
        app_value(KEY_faults, cli_faults_json(cli_set_fault, set)),
        app_value(KEY_detection_faults, cli_faults_json(cli_detections_fault, detections))));
}

static int score(const cli_args *args, const deeper_boxes *set,
                 const deeper_detections *detections) {
    deeper_box_scores *scores = NULL;
    deeper_error error = { 0 };
    size_t boxes = 0, count = 0;
    const deeper_truth *truth = deeper_boxes_truth(set, &boxes);
    const deeper_detection *array = deeper_detections_array(detections, &count);
    deeper_box_scores_options with = DEEPER_BOX_SCORES_OPTIONS_INIT;
    with.images = deeper_boxes_photos(set);
    with.classes = deeper_boxes_classes(set);
    with.resamples = cli_integer(args, "resamples");
    if (deeper_box_scores_create(&scores, truth, boxes, array, count, &with, &error))
        return cli_failure(&error);
    print_scores(scores, set, detections);
    deeper_box_scores_close(scores);
    return CLI_DONE;
}

/* Whether detections need the sizes of photos that the set does not say: YOLO's are shares of
 * them. */
static bool needs_sizes(const deeper_boxes *set) {
    deeper_boxed_photo photo = { 0 };
    for (size_t i = 0; i < deeper_boxes_photos(set); i++)
        if (deeper_boxes_photo(set, i, &photo, sizeof photo, NULL) == DEEPER_OK && !photo.width)
            return true;
    return false;
}

static int run(const cli_args *args) {
    deeper_boxes *set = NULL;
    deeper_detections *detections = NULL;
    deeper_error error = { 0 };
    cli_box_problems problems = { .all = cli_flag(args, "all-problems") };
    const char *eval = cli_text(args, "eval"), *file = cli_text(args, "detections");
    deeper_boxes_options with = DEEPER_BOXES_OPTIONS_INIT;
    if (!eval || !file)
        return cli_usage(args->command, "--%s is missing", eval ? "detections FILE" : "eval SET");
    with.part = cli_text(args, "part");
    with.photos = cli_text(args, "photos");
    with.problem = cli_box_problem;
    with.context = &problems;
    if (deeper_boxes_open(&set, eval, &with, &error))
        return cli_failure(&error);
    int code = CLI_DONE;
    if (!strcmp(deeper_boxes_text(set, "form"), "yolo") && needs_sizes(set)
        && deeper_boxes_check_photos(set, NULL, NULL, &error))
        code = cli_failure(&error);
    if (code == CLI_DONE
        && deeper_detections_open(&detections, set, file, cli_box_problem, &problems, NULL, &error))
        code = cli_failure(&error);
    cli_box_problems_end(&problems, file);
    if (code == CLI_DONE)
        code = score(args, set, detections);
    deeper_detections_close(detections);
    deeper_boxes_close(set);
    return code;
}

const cli_command cli_command_detect = {
    .name = "detect",
    .summary = "score the detections of any program by every published protocol",
    .operands = "",
    .description =
        "Reads a set of photos with boxes and what a detector found in them, and prints COCO's "
        "twelve figures (those of pycocotools), VOC 2007, VOC 2010 and ILSVRC side by side, with "
        "intervals of 95 % over the photos, the figures of every class, and what kind of mistakes "
        "the wrong detections are and how much AP50 would rise without each. Classes are matched "
        "by COCO's ids, by names or, in YOLO's files, by numbers; photos by ids or by the names "
        "of files. What is wrong with set or detections is named, counted and left out.",
    .examples = "deeper detect --eval instances_val.json --detections results.json\n"
                "deeper detect --eval data.yaml --part test --detections runs/labels\n"
                "deeper detect --eval VOC2007 --part test --detections results/ --json\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
