/* errors.c - the kinds of mistakes found photo by photo, then AP50 counted again as if those of one
 * kind had not been made. */
#include "detect/errors.h"
#include "detect/average_precision.h"
#include "detect/overlap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FOREGROUND 0.5 /* overlap of a detection that is on a box */
#define NEAR 0.1       /* and of one that at least is near it */

static const struct {
    const char *name, *description;
} kinds[DP_FAULTS] = {
    [DP_FAULT_CLASS] = { "class", "on a box of another class" },
    [DP_FAULT_LOCALISATION] = { "localisation", "near a box of its class, overlap .1 to .5" },
    [DP_FAULT_BOTH] = { "both", "near a box of another class, overlap .1 to .5" },
    [DP_FAULT_DUPLICATE] = { "duplicate", "on a box that a better detection has found" },
    [DP_FAULT_BACKGROUND] = { "background", "on no box at all" },
    [DP_FAULT_MISSED] = { "missed", "boxes that no detection is on or near" },
};

const char *dp_fault_name(dp_fault mistake, const char **description) {
    if (description)
        *description = kinds[mistake].description;
    return kinds[mistake].name;
}

/* All that the search keeps of a detection and of a box. */
typedef struct work {
    const dp_matches *m;
    const deeper_truth *truth;
    const deeper_detection *detections;
    const uint8_t *outcomes; /* COCO's at .5 */
    uint8_t *kind;           /* of each answer; DP_FAULTS: none */
    size_t *aimed;           /* at which box a CLASS or LOCALISATION is */
    bool *hit;               /* of each of the caller's boxes */
    bool *near;              /* a CLASS or LOCALISATION is on it */
    size_t *first_of_image;  /* in `by_image` */
    size_t *by_image;        /* the caller's boxes that count */
} work;

static void judge(work *w, size_t answer) {
    const dp_answer *a = &w->m->answers[answer];
    const deeper_box *box = &w->detections[a->index].box;
    double own = 0, other = 0;
    size_t own_box = SIZE_MAX, other_box = SIZE_MAX;
    for (size_t i = w->first_of_image[a->image]; i < w->first_of_image[a->image + 1]; i++) {
        const size_t t = w->by_image[i];
        const double overlap = dp_box_overlap(box, &w->truth[t].box);
        const bool same = w->truth[t].class_index == a->class_index;
        if (same && overlap > own) {
            own = overlap;
            own_box = t;
        } else if (!same && overlap > other) {
            other = overlap;
            other_box = t;
        }
    }
    if (own >= NEAR && own < FOREGROUND) {
        w->kind[answer] = DP_FAULT_LOCALISATION;
        w->aimed[answer] = own_box;
    } else if (other >= FOREGROUND) {
        w->kind[answer] = DP_FAULT_CLASS;
        w->aimed[answer] = other_box;
    } else if (own >= FOREGROUND) {
        w->kind[answer] = DP_FAULT_DUPLICATE;
    } else {
        w->kind[answer] = other < NEAR ? DP_FAULT_BACKGROUND : DP_FAULT_BOTH;
    }
    if (w->aimed[answer] != SIZE_MAX)
        w->near[w->aimed[answer]] = true;
}

/* Lists the boxes that count by photo. */
static void list_boxes(work *w) {
    const dp_matches *m = w->m;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < m->target_count; i++) {
            if (!(m->targets[i].areas & 1))
                continue;
            if (pass == 0)
                w->first_of_image[m->targets[i].image + 1]++;
            else
                w->by_image[w->first_of_image[m->targets[i].image]++] = m->targets[i].index;
        }
        if (pass == 0)
            for (size_t i = 0; i < m->images; i++)
                w->first_of_image[i + 1] += w->first_of_image[i];
    }
    /* The second pass moved each beginning to its end. */
    memmove(w->first_of_image + 1, w->first_of_image, m->images * sizeof *w->first_of_image);
    w->first_of_image[0] = 0;
}

static void judge_all(work *w, dp_errors *errors) {
    const dp_matches *m = w->m;
    for (size_t i = 0; i < m->answer_count; i++) {
        w->kind[i] = DP_FAULTS;
        w->aimed[i] = SIZE_MAX;
        if (w->outcomes[i] == DP_RIGHT)
            w->hit[m->answers[i].box] = true;
    }
    for (size_t i = 0; i < m->answer_count; i++)
        if (w->outcomes[i] == DP_WRONG) {
            judge(w, i);
            errors->counts[w->kind[i]]++;
        }
    for (size_t i = 0; i < m->target_count; i++) {
        const size_t t = m->targets[i].index;
        if ((m->targets[i].areas & 1) && !w->hit[t] && !w->near[t])
            errors->counts[DP_FAULT_MISSED]++;
    }
}

/* ------------------------------------------------------------------------------------------- gains
 */

/* A detection of a class as it would be without the mistakes. */
typedef struct mended {
    uint32_t class_index;
    size_t order; /* among the answers */
    double score;
    uint8_t outcome;
} mended;

static int by_score(const void *left, const void *right) {
    const mended *a = left, *b = right;
    if (a->class_index != b->class_index)
        return a->class_index < b->class_index ? -1 : 1;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

/* Sets the answers as they would be without one kind of mistake (-1: as they are), in their new
 * order: of those aimed at one box the best alone finds it. */
static void mend(mended *answers, const work *w, int kind, size_t *finder) {
    const dp_matches *m = w->m;
    memset(finder, 0xff, m->target_count * sizeof *finder); /* SIZE_MAX: nothing */
    for (size_t i = 0; i < m->answer_count; i++) {
        const size_t box = w->aimed[i];
        if (w->kind[i] == kind && box != SIZE_MAX && !w->hit[box]
            && (finder[box] == SIZE_MAX || m->answers[i].score > m->answers[finder[box]].score))
            finder[box] = i;
    }
    for (size_t i = 0; i < m->answer_count; i++) {
        const dp_answer *a = &m->answers[i];
        answers[i] = (mended){ a->class_index, i, a->score, w->outcomes[i] };
        if (w->kind[i] != kind)
            continue;
        answers[i].outcome = DP_NEITHER;
        if (w->aimed[i] != SIZE_MAX && finder[w->aimed[i]] == i) {
            answers[i].outcome = DP_RIGHT;
            answers[i].class_index = (uint32_t)w->truth[w->aimed[i]].class_index;
        }
    }
    if (m->answer_count)
        qsort(answers, m->answer_count, sizeof *answers, by_score);
}

/* The mean AP50 of these; missed: boxes that nothing is on are not asked for. */
static double mean_of(const mended *answers, const work *w, bool missed, uint8_t *outcomes,
                      double *scratch) {
    const dp_matches *m = w->m;
    double sum = 0;
    size_t classes = 0, begin = 0;
    for (size_t c = 0; c < m->classes; c++) {
        size_t end = begin, targets = 0;
        for (; end < m->answer_count && answers[end].class_index == c; end++)
            outcomes[end] = answers[end].outcome;
        for (size_t i = m->first_target[c]; i < m->first_target[c + 1]; i++) {
            const size_t t = m->targets[i].index;
            targets += (m->targets[i].areas & 1) && !(missed && !w->hit[t] && !w->near[t]);
        }
        if (targets) {
            sum += dp_average_precision_of(outcomes + begin, end - begin, targets, DP_POINTS_101,
                                           scratch);
            classes++;
        }
        begin = end;
    }
    return classes ? sum / (double)classes : (double)NAN;
}

static deeper_status find_gains(dp_errors *errors, const work *w, deeper_error *error) {
    const dp_matches *m = w->m;
    mended *answers = dp_alloc_raw(m->allocator, m->answer_count, sizeof *answers);
    uint8_t *outcomes = dp_alloc_raw(m->allocator, m->answer_count, 1);
    double *scratch = dp_alloc_raw(m->allocator, m->answer_count, 2 * sizeof *scratch);
    size_t *finder = dp_alloc_raw(m->allocator, m->target_count, sizeof *finder);
    const bool enough = answers && outcomes && scratch && finder;
    if (enough) {
        mend(answers, w, -1, finder);
        const double now = mean_of(answers, w, false, outcomes, scratch);
        for (int kind = 0; kind < DP_FAULTS; kind++) {
            mend(answers, w, kind, finder);
            errors->gains[kind] =
                mean_of(answers, w, kind == DP_FAULT_MISSED, outcomes, scratch) - now;
        }
    }
    dp_free(m->allocator, answers);
    dp_free(m->allocator, outcomes);
    dp_free(m->allocator, scratch);
    dp_free(m->allocator, finder);
    return enough ? DEEPER_OK : dp_fail_memory(error, "the mistakes");
}

deeper_status dp_errors_find(dp_errors *errors, const dp_matches *matches,
                             const deeper_truth *truth, const deeper_detection *detections,
                             deeper_error *error) {
    const deeper_allocator *allocator = matches->allocator;
    work w = { .m = matches,
               .truth = truth,
               .detections = detections,
               .outcomes = dp_matches_outcomes(matches, DP_LIST_COCO),
               .kind = dp_alloc_raw(allocator, matches->answer_count, 1),
               .aimed = dp_alloc_raw(allocator, matches->answer_count, sizeof *w.aimed),
               .hit = dp_alloc(allocator, matches->target_count, sizeof *w.hit),
               .near = dp_alloc(allocator, matches->target_count, sizeof *w.near),
               .first_of_image = dp_alloc(allocator, matches->images + 1, sizeof *w.first_of_image),
               .by_image = dp_alloc_raw(allocator, matches->target_count, sizeof *w.by_image) };
    deeper_status status = DEEPER_ERROR_MEMORY;
    *errors = (dp_errors){ 0 };
    if (w.kind && w.aimed && w.hit && w.near && w.first_of_image && w.by_image) {
        list_boxes(&w);
        judge_all(&w, errors);
        status = find_gains(errors, &w, error);
    } else {
        dp_fail_memory(error, "the kinds of mistakes");
    }
    dp_free(allocator, w.kind);
    dp_free(allocator, w.aimed);
    dp_free(allocator, w.hit);
    dp_free(allocator, w.near);
    dp_free(allocator, w.first_of_image);
    dp_free(allocator, w.by_image);
    return status;
}
