/* match.h - which detections find which boxes, by the rules of every protocol at once: COCO's (four
 * ranges of area times ten thresholds), Pascal VOC's and ILSVRC's. A photo's matches depend on that
 * photo alone, so all averages, their intervals and the split of the errors read one table of
 * outcomes. What it does not do: averages (average_precision.h). */
#ifndef DP_DETECT_MATCH_H
#define DP_DETECT_MATCH_H

#include "base/memory.h"

enum {
    DP_COCO_STEPS = 10, /* thresholds .50, .55 ... .95 of intersection over union */
    DP_COCO_AREAS = 4,  /* all, small, medium, large */
    DP_COCO_BEST = 100  /* detections of a class and photo that COCO's rule looks at */
};

/* A list of outcomes: COCO's for a range of area and a threshold, then the other protocols'. */
enum {
    DP_LIST_COCO = 0, /* + area * DP_COCO_STEPS + step */
    DP_LIST_VOC = DP_COCO_AREAS * DP_COCO_STEPS,
    DP_LIST_ILSVRC,
    DP_LISTS
};

/* What became of a detection. NEITHER counts for nothing: it found a box that is not to be found
 * (difficult, a crowd, of another size), or it is not looked at. */
enum { DP_WRONG, DP_RIGHT, DP_NEITHER };

/* Where ranges of area begin and end, both included: "small" up to 32 x 32, "large" from 96 x 96.
 */
extern const double dp_coco_areas[DP_COCO_AREAS][2];

/* A detection, in the order of scores. */
typedef struct dp_answer {
    double score;
    size_t index; /* among the caller's */
    size_t box;   /* the caller's box that it found by COCO's rule at .5; SIZE_MAX: none */
    uint32_t class_index, image;
    uint32_t rank; /* detections of the class in the photo that come before it */
} dp_answer;

/* A box to be found. */
typedef struct dp_target {
    size_t index; /* among the caller's */
    uint32_t class_index, image;
    uint8_t areas; /* bit a: it counts in COCO's range a. Bit 0 is that of the other protocols, too:
                      neither difficult nor a crowd */
} dp_target;

typedef struct dp_matches {
    const deeper_allocator *allocator;
    size_t classes, images;
    size_t answer_count, target_count;
    dp_answer *answers;   /* by class, then by falling score, photo and index */
    size_t *first_answer; /* those of class c: first_answer[c] to first_answer[c + 1] - 1 */
    dp_target *targets;   /* by class, photo and index */
    size_t *first_target; /* likewise */
    uint8_t *outcomes;    /* list * answer_count + answer */
} dp_matches;

/* Matches. Indices of photos and classes are below `images` and `classes`, numbers finite, sizes
 * not negative: the caller has seen to that.
 *   - COCO: per photo and class the 100 best detections, from the best; each takes the unused box
 * of the largest overlap that reaches the threshold, one that counts before one that does not; a
 *     crowd may be taken by many, its overlap is the share of the detection that it covers. What
 *     found a box that does not count, or none and is itself outside the range of area, is NEITHER.
 *   - VOC: each takes the box of the largest overlap, used or not; below .5 or used it is WRONG.
 *   - ILSVRC: each takes the unused box of the largest overlap of those that it overlaps by their
 * own threshold, min(.5, w h / ((w + 10)(h + 10))). Errors: MEMORY. Freed by dp_matches_free, after
 * a failure too. */
deeper_status dp_matches_make(dp_matches *matches, const deeper_truth *truth, size_t truth_count,
                              const deeper_detection *detections, size_t detection_count,
                              size_t images, size_t classes, const deeper_allocator *allocator,
                              deeper_error *error);
void dp_matches_free(dp_matches *matches);

/* Boxes of a class that a list counts. */
size_t dp_matches_targets(const dp_matches *matches, size_t class_index, int list);

/* The bit of dp_target.areas that says whether a list counts a box. */
static inline int dp_list_area(int list) {
    return list < DP_LIST_VOC ? list / DP_COCO_STEPS : 0;
}

static inline const uint8_t *dp_matches_outcomes(const dp_matches *matches, int list) {
    return matches->outcomes + (size_t)list * matches->answer_count;
}

#endif
