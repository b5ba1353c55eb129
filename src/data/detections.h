/* detections.h - what a detector found, from the files that programs leave, for the photos and
 * classes of a boxed set. */
#ifndef DP_DATA_DETECTIONS_H
#define DP_DATA_DETECTIONS_H

#include "data/boxes.h"

typedef struct dp_detections {
    const deeper_allocator *allocator;
    deeper_detection *items; /* in the order of the file or files */
    size_t count, capacity;
    size_t faults[DP_BOX_FAULTS];
} dp_detections;

/* deeper_detections_open. Freed by dp_detections_free, after a failure too. */
deeper_status dp_detections_read(dp_detections *detections, const dp_boxes *boxes, const char *path,
                                 void (*problem)(void *context, const char *message), void *context,
                                 const deeper_allocator *allocator, deeper_error *error);
void dp_detections_free(dp_detections *detections);

/* Bytes of a single file of each form (tests/fuzz comes in here); name: for messages. */
deeper_status dp_detections_parse(dp_detections *detections, const dp_boxes *boxes,
                                  const char *text, size_t size, const char *name,
                                  const deeper_allocator *allocator, deeper_error *error);

#endif
