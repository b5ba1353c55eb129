/* overlap.h - how much of two boxes is the same, the measure of every rule of detection. A box is
 * its left upper corner and its size (deeper_box), so that an area is exactly what the annotation
 * says, and pixels a..b of a photo, both included, are the box from a of size b - a + 1. */
#ifndef DP_DETECT_OVERLAP_H
#define DP_DETECT_OVERLAP_H

#include "base/status.h"

static inline double dp_box_area(const deeper_box *box) {
    return box->width * box->height;
}

/* Area of what both cover. */
static inline double dp_box_common(const deeper_box *a, const deeper_box *b) {
    const double a_right = a->x + a->width, b_right = b->x + b->width;
    const double a_lower = a->y + a->height, b_lower = b->y + b->height;
    const double width = (a_right < b_right ? a_right : b_right) - (a->x > b->x ? a->x : b->x);
    const double height = (a_lower < b_lower ? a_lower : b_lower) - (a->y > b->y ? a->y : b->y);
    return width > 0 && height > 0 ? width * height : 0;
}

/* Intersection over union; 0 where they share nothing. */
static inline double dp_box_overlap(const deeper_box *a, const deeper_box *b) {
    const double common = dp_box_common(a, b);
    return common > 0 ? common / (dp_box_area(a) + dp_box_area(b) - common) : 0;
}

#endif
