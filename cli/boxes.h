/* boxes.h - sets of photos with boxes as commands take and tell them. */
#ifndef CLI_BOXES_H
#define CLI_BOXES_H

#include "options.h"

#include <deeper/deeper.h>
#include <jansson.h>

/* What commands take as such a set, and which part of it. */
#define CLI_A_BOXED_SET                                                                            \
    "a Pascal VOC folder, a COCO file, YOLO's data.yaml or folder, a CSV table or a window file"
#define CLI_OPTION_BOXES_PART                                                                      \
    CLI_ROW_TEXT("part", 0, "PART", NULL,                                                          \
                 "the part of the set: train, val ..., or all (default: val where it has one)")
#define CLI_OPTION_PHOTOS                                                                          \
    CLI_ROW_FILE("photos", 0, "FOLDER",                                                            \
                 "where the names of photos start (default: as the form has it)")

enum { CLI_FAULTS_NAMED = 20 };

/* What is wrong with a set or with detections, told as it comes: the first CLI_FAULTS_NAMED, and at
 * the end how many more, or all. */
typedef struct cli_box_problems {
    bool all;
    size_t count;
} cli_box_problems;
void cli_box_problem(void *context, const char *message); /* context: cli_box_problems */
void cli_box_problems_end(const cli_box_problems *problems, const char *path);

/* The kinds of faults with their counts, those that are there: as lines, or as a list. `at` is
 * deeper_boxes_fault or deeper_detections_fault, their handle `of`. Returns whether all is sound.
 */
typedef deeper_status cli_fault_at(const void *of, size_t index, deeper_box_fault *fault);
cli_fault_at cli_set_fault, cli_detections_fault;
bool cli_faults_sound(cli_fault_at *at, const void *of);
void cli_faults_print(cli_fault_at *at, const void *of);
json_t *cli_faults_json(cli_fault_at *at, const void *of);

/* `deeper info` of such a set: classes, boxes, sizes, what is unsound. all: photos are decoded and
 * faults named, however many there are. */
int cli_info_boxes(const char *path, bool all);

#endif
