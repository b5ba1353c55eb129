/* reference_boxes.h - the protocols of detection written to be read: every figure on its own, each
 * photo, class and threshold anew, quadratic where that is plainer. The oracle of src/detect. */
#ifndef REFERENCE_BOXES_H
#define REFERENCE_BOXES_H

#include <deeper/deeper.h>

typedef struct reference_set {
    const deeper_truth *truth;
    size_t truth_count;
    const deeper_detection *detections;
    size_t detection_count;
    size_t images, classes;
} reference_set;

/* COCO: one class at one threshold; area from low to high; the `best` detections of a photo count.
 * AP, and the recall into *recall. NAN without boxes. */
double reference_coco(const reference_set *set, size_t class_index, double threshold, double low,
                      double high, size_t best, double *recall);

/* VOC, with ILSVRC's thresholds and choice if `relaxed`; points: 11, or 0 for the area. */
double reference_voc(const reference_set *set, size_t class_index, int relaxed, int points);

#endif
