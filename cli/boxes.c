/* boxes.c - boxed sets told: their faults, and the whole of them for `deeper info`. */
#include "boxes.h"
#include "app/json.h"
#include "output.h"

#include <stdio.h>
#include <stdlib.h>

void cli_box_problem(void *context, const char *message) {
    cli_box_problems *problems = context;
    if (problems->all || problems->count < CLI_FAULTS_NAMED)
        cli_error("%s", message);
    problems->count++;
}

void cli_box_problems_end(const cli_box_problems *problems, const char *path) {
    if (!problems->all && problems->count > CLI_FAULTS_NAMED)
        cli_error("%s: and %zu more", path, problems->count - CLI_FAULTS_NAMED);
}

deeper_status cli_set_fault(const void *of, size_t index, deeper_box_fault *fault) {
    return deeper_boxes_fault(of, index, fault, sizeof *fault, NULL);
}

deeper_status cli_detections_fault(const void *of, size_t index, deeper_box_fault *fault) {
    return deeper_detections_fault(of, index, fault, sizeof *fault, NULL);
}

bool cli_faults_sound(cli_fault_at *at, const void *of) {
    deeper_box_fault fault = { 0 };
    for (size_t i = 0; at(of, i, &fault) == DEEPER_OK; i++)
        if (fault.count && !fault.sound)
            return false;
    return true;
}

void cli_faults_print(cli_fault_at *at, const void *of) {
    deeper_box_fault fault = { 0 };
    for (size_t i = 0; at(of, i, &fault) == DEEPER_OK; i++)
        if (fault.count)
            printf("%-12s %zu %s: %s\n", fault.sound ? "note" : "wrong", fault.count, fault.name,
                   fault.description);
}

json_t *cli_faults_json(cli_fault_at *at, const void *of) {
    deeper_box_fault fault = { 0 };
    json_t *list = json_array();
    for (size_t i = 0; at(of, i, &fault) == DEEPER_OK; i++)
        if (fault.count)
            json_array_append_new(list, APP_OBJECT(app_text(KEY_name, fault.name),
                                                   app_whole(KEY_count, (json_int_t)fault.count),
                                                   app_text(KEY_about, fault.description)));
    return list;
}

/* --------------------------------------------------------------------------------- deeper info */

/* Boxes and photos of each class, and boxes by COCO's ranges of area. */
typedef struct counts {
    size_t *boxes, *photos;
    size_t small, medium, large, crowds, difficult, empty_photos;
} counts;

static void count(counts *c, const deeper_boxes *set) {
    size_t total = 0;
    const deeper_truth *truth = deeper_boxes_truth(set, &total);
    for (size_t i = 0; i < total; i++) {
        bool again = false;
        for (size_t k = i; k-- > 0 && truth[k].image == truth[i].image && !again;)
            again = truth[k].class_index == truth[i].class_index;
        c->boxes[truth[i].class_index]++;
        c->photos[truth[i].class_index] += !again;
        *(truth[i].area <= 1024 ? &c->small : truth[i].area <= 9216 ? &c->medium : &c->large) += 1;
        c->crowds += truth[i].crowd != 0;
        c->difficult += truth[i].difficult != 0;
    }
    for (size_t i = 0; i < deeper_boxes_photos(set); i++) {
        deeper_boxed_photo photo = { 0 };
        deeper_boxes_photo(set, i, &photo, sizeof photo, NULL);
        c->empty_photos += photo.count == 0;
    }
}

static void print_text(const deeper_boxes *set, const counts *c, bool sound) {
    char text[CLI_NUMBER_SIZE], more[CLI_NUMBER_SIZE];
    const char *part = deeper_boxes_text(set, "part");
    size_t total = 0;
    deeper_boxes_truth(set, &total);
    printf("%-12s %s%s%s\n", "boxes", deeper_boxes_text(set, "form"), part ? ", part " : "",
           part ? part : "");
    printf("%-12s %s, %zu of them without boxes\n", "photos",
           cli_grouped(deeper_boxes_photos(set), text), c->empty_photos);
    printf("%-12s %s in %zu classes: %zu up to 32 x 32, %zu up to 96 x 96, %zu larger; %zu "
           "difficult, %zu crowds\n",
           "boxes", cli_grouped(total, more), deeper_boxes_classes(set), c->small, c->medium,
           c->large, c->difficult, c->crowds);
    for (size_t i = 0; i < deeper_boxes_classes(set); i++) {
        printf("%11zu  ", c->boxes[i]);
        cli_print_text(deeper_boxes_class(set, i));
        printf(" in %zu photo%s\n", c->photos[i], c->photos[i] == 1 ? "" : "s");
    }
    cli_faults_print(cli_set_fault, set);
    puts(sound ? "sound" : "not sound");
}

static json_t *parts_json(const deeper_boxes *set) {
    json_t *parts = json_array();
    const char *part;
    for (size_t i = 0; (part = deeper_boxes_part(set, i)) != NULL; i++)
        json_array_append_new(parts, app_json_text(part));
    return parts;
}

static void print_json(const deeper_boxes *set, const counts *c, bool checked, bool sound) {
    size_t total = 0;
    json_t *classes = json_array();
    deeper_boxes_truth(set, &total);
    for (size_t i = 0; i < deeper_boxes_classes(set); i++)
        json_array_append_new(classes, APP_OBJECT(app_text(KEY_name, deeper_boxes_class(set, i)),
                                                  app_whole(KEY_boxes, (json_int_t)c->boxes[i]),
                                                  app_whole(KEY_images, (json_int_t)c->photos[i])));
    cli_print_json(APP_OBJECT(
        app_text(KEY_kind, "boxes"), app_text(KEY_path, deeper_boxes_text(set, "path")),
        app_text(KEY_format, deeper_boxes_text(set, "form")),
        app_text(KEY_part, deeper_boxes_text(set, "part")),
        app_value(KEY_set_parts, parts_json(set)),
        app_whole(KEY_images, (json_int_t)deeper_boxes_photos(set)),
        app_whole(KEY_empty_images, (json_int_t)c->empty_photos),
        app_whole(KEY_classes, (json_int_t)deeper_boxes_classes(set)),
        app_whole(KEY_boxes, (json_int_t)total), app_value(KEY_class_boxes, classes),
        app_whole(KEY_small, (json_int_t)c->small), app_whole(KEY_medium, (json_int_t)c->medium),
        app_whole(KEY_large, (json_int_t)c->large),
        app_whole(KEY_difficult, (json_int_t)c->difficult),
        app_whole(KEY_crowds, (json_int_t)c->crowds),
        app_value(KEY_faults, cli_faults_json(cli_set_fault, set)), app_truth(KEY_checked, checked),
        app_truth(KEY_sound, sound)));
}

enum { CHECK_UP_TO = 2000 }; /* photos that are decoded without being asked for */

/* One part, or all of a set without parts. */
static int info_part(const char *path, const char *part, bool all) {
    deeper_boxes *set = NULL;
    deeper_error error = { 0 };
    cli_box_problems problems = { .all = all };
    cli_progress progress;
    deeper_boxes_options options = DEEPER_BOXES_OPTIONS_INIT;
    options.part = part;
    options.problem = cli_box_problem;
    options.context = &problems;
    if (deeper_boxes_open(&set, path, &options, &error))
        return cli_failure(&error);
    int code = CLI_DONE;
    counts c = { .boxes = calloc(deeper_boxes_classes(set) + 1, sizeof *c.boxes),
                 .photos = calloc(deeper_boxes_classes(set) + 1, sizeof *c.photos) };
    const bool check = all || deeper_boxes_photos(set) <= CHECK_UP_TO;
    if (check) {
        cli_progress_begin(&progress, "photos", 0);
        if (deeper_boxes_check_photos(set, cli_on_progress, &progress, &error))
            code = cli_failure(&error);
        cli_progress_end();
    }
    cli_box_problems_end(&problems, path);
    if (!c.boxes || !c.photos)
        code = cli_error("out of memory");
    if (code == CLI_DONE) {
        const bool sound = cli_faults_sound(cli_set_fault, set);
        count(&c, set);
        if (cli_json())
            print_json(set, &c, check, sound);
        else
            print_text(set, &c, sound);
        code = sound ? CLI_DONE : CLI_FAILED;
    }
    free(c.boxes);
    free(c.photos);
    deeper_boxes_close(set);
    return code;
}

int cli_info_boxes(const char *path, bool all) {
    deeper_boxes *set = NULL;
    deeper_error error = { 0 };
    deeper_boxes_options options = DEEPER_BOXES_OPTIONS_INIT;
    const char *part;
    int code = CLI_DONE;
    if (deeper_boxes_open(&set, path, &options, &error))
        return cli_failure(&error);
    if (!deeper_boxes_part(set, 0))
        code = info_part(path, NULL, all);
    for (size_t i = 0; (part = deeper_boxes_part(set, i)) != NULL; i++) {
        const int one = info_part(path, part, all);
        code = one != CLI_DONE ? one : code;
    }
    deeper_boxes_close(set);
    return code;
}
