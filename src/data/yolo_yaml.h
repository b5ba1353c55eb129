/* yolo_yaml.h - what data.yaml of a YOLO set says: names of the classes, where the parts are. */
#ifndef DP_DATA_YOLO_YAML_H
#define DP_DATA_YOLO_YAML_H

#include "data/boxes_read.h"

enum { DP_YOLO_PARTS = 3 };
extern const char *const dp_yolo_parts[DP_YOLO_PARTS]; /* "train", "val", "test" */

typedef struct dp_yolo_yaml {
    char root[2048];                 /* its `path`; "": not said */
    char parts[DP_YOLO_PARTS][2048]; /* "": not said; of a list the first */
} dp_yolo_yaml;

/* Adds the classes to the set, in order. Errors: FORMAT (no YAML, names that are no list and no map
 * from 0), LIMIT, MEMORY, UNSUPPORTED (a build without libyaml). */
deeper_status dp_yolo_yaml_parse(dp_yolo_yaml *yaml, dp_boxes_reader *reader, const char *text,
                                 size_t size, const char *name);

#endif
