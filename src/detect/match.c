/* match.c - the three rules of matching, photo by photo and class by class. The boxes that a
 * detection may take at all are few, so they are listed once and every rule looks at these alone.
 */
#include "detect/match.h"
#include "detect/overlap.h"

#include <stdlib.h>
#include <string.h>

const double dp_coco_areas[DP_COCO_AREAS][2] = {
    { 0, 1e10 }, { 0, 1024 }, { 1024, 9216 }, { 9216, 1e10 }
};

/* The boxes of one class in one photo, and what of them was taken under each list. */
typedef struct group {
    const deeper_truth *truth;
    const dp_target *targets;
    size_t count;
    double *overlaps;   /* of one detection with each: as COCO has it, a crowd's by its own rule */
    double *plain;      /* intersection over union */
    size_t *candidates; /* boxes that it overlaps by .5 or more */
    uint8_t *taken;     /* list * count + box */
} group;

static const deeper_truth *box_of(const group *g, size_t i) {
    return &g->truth[g->targets[i].index];
}

static bool counts(const group *g, size_t i, int area) {
    return g->targets[i].areas >> area & 1;
}

/* COCO's thresholds as its own program computes them. */
static double threshold(int step) {
    return step == DP_COCO_STEPS - 1 ? 0.95 : 0.5 + step * ((0.95 - 0.5) / (DP_COCO_STEPS - 1));
}

static uint8_t match_coco(group *g, size_t candidates, double area_of_it, int area, int step,
                          size_t *taken_box) {
    uint8_t *taken = g->taken + (size_t)(area * DP_COCO_STEPS + step) * g->count;
    double best[2] = { threshold(step), threshold(step) };
    size_t box[2] = { SIZE_MAX, SIZE_MAX }; /* one that does not count, one that does */
    for (size_t i = 0; i < candidates; i++) {
        const size_t c = g->candidates[i];
        const int does = counts(g, c, area);
        if ((taken[c] && !box_of(g, c)->crowd) || g->overlaps[c] < best[does])
            continue;
        best[does] = g->overlaps[c];
        box[does] = c;
    }
    const size_t chosen = box[1] != SIZE_MAX ? box[1] : box[0];
    if (chosen == SIZE_MAX)
        return area_of_it < dp_coco_areas[area][0] || area_of_it > dp_coco_areas[area][1]
                   ? DP_NEITHER
                   : DP_WRONG;
    taken[chosen] = 1;
    *taken_box = chosen;
    return box[1] != SIZE_MAX ? DP_RIGHT : DP_NEITHER;
}

static uint8_t match_voc(group *g) {
    uint8_t *taken = g->taken + (size_t)DP_LIST_VOC * g->count;
    size_t best = 0;
    for (size_t i = 1; i < g->count; i++)
        if (g->plain[i] > g->plain[best])
            best = i;
    if (g->plain[best] < 0.5)
        return DP_WRONG;
    if (!counts(g, best, 0))
        return DP_NEITHER;
    if (taken[best])
        return DP_WRONG;
    taken[best] = 1;
    return DP_RIGHT;
}

static uint8_t match_ilsvrc(group *g) {
    uint8_t *taken = g->taken + (size_t)DP_LIST_ILSVRC * g->count;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < g->count; i++) {
        const deeper_box *box = &box_of(g, i)->box;
        const double relaxed = dp_box_area(box) / ((box->width + 10) * (box->height + 10));
        if (taken[i] || g->plain[i] < (relaxed < 0.5 ? relaxed : 0.5) || g->plain[i] <= 0)
            continue;
        if (best == SIZE_MAX || g->plain[i] > g->plain[best])
            best = i;
    }
    if (best == SIZE_MAX)
        return DP_WRONG;
    if (!counts(g, best, 0))
        return DP_NEITHER;
    taken[best] = 1;
    return DP_RIGHT;
}

/* All lists of one detection. */
static void match(dp_matches *matches, size_t answer, const deeper_detection *detection, group *g) {
    dp_answer *a = &matches->answers[answer];
    uint8_t *outcomes = matches->outcomes + answer;
    const size_t stride = matches->answer_count;
    const double area_of_it = dp_box_area(&detection->box);
    size_t candidates = 0;
    for (size_t i = 0; i < g->count; i++) {
        const deeper_truth *t = box_of(g, i);
        const double common = dp_box_common(&detection->box, &t->box);
        const double both = area_of_it + dp_box_area(&t->box) - common;
        g->plain[i] = common > 0 ? common / both : 0;
        g->overlaps[i] = t->crowd && common > 0 ? common / area_of_it : g->plain[i];
        if (g->overlaps[i] >= threshold(0))
            g->candidates[candidates++] = i;
    }
    for (int area = 0; area < DP_COCO_AREAS; area++)
        for (int step = 0; step < DP_COCO_STEPS; step++) {
            uint8_t *outcome = &outcomes[(size_t)(area * DP_COCO_STEPS + step) * stride];
            size_t box = SIZE_MAX;
            *outcome = DP_NEITHER;
            if (a->rank < DP_COCO_BEST)
                *outcome = match_coco(g, candidates, area_of_it, area, step, &box);
            if (area == 0 && step == 0)
                a->box = box == SIZE_MAX ? SIZE_MAX : g->targets[box].index;
        }
    outcomes[DP_LIST_VOC * stride] = g->count ? match_voc(g) : DP_WRONG;
    outcomes[DP_LIST_ILSVRC * stride] = match_ilsvrc(g);
}

/* ---------------------------------------------------------------------------------- the two orders
 */

static int compare_u32(uint32_t a, uint32_t b) {
    return (a > b) - (a < b);
}

static int by_score(const void *left, const void *right) {
    const dp_answer *a = left, *b = right;
    if (a->class_index != b->class_index)
        return compare_u32(a->class_index, b->class_index);
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    if (a->image != b->image)
        return compare_u32(a->image, b->image);
    return (a->index > b->index) - (a->index < b->index);
}

/* A place among the answers, sorted so that those of a photo and class lie together. */
typedef struct place {
    uint32_t class_index, image;
    size_t answer;
} place;

static int by_photo(const void *left, const void *right) {
    const place *a = left, *b = right;
    if (a->class_index != b->class_index)
        return compare_u32(a->class_index, b->class_index);
    if (a->image != b->image)
        return compare_u32(a->image, b->image);
    return (a->answer > b->answer) - (a->answer < b->answer);
}

static int targets_by_photo(const void *left, const void *right) {
    const dp_target *a = left, *b = right;
    if (a->class_index != b->class_index)
        return compare_u32(a->class_index, b->class_index);
    if (a->image != b->image)
        return compare_u32(a->image, b->image);
    return (a->index > b->index) - (a->index < b->index);
}

static void fill_answers(dp_matches *m, const deeper_detection *detections) {
    for (size_t i = 0; i < m->answer_count; i++) {
        const deeper_detection *d = &detections[i];
        m->answers[i] = (dp_answer){ .score = d->score,
                                     .index = i,
                                     .box = SIZE_MAX,
                                     .class_index = (uint32_t)d->class_index,
                                     .image = (uint32_t)d->image };
        m->first_answer[d->class_index + 1]++;
    }
    if (m->answer_count)
        qsort(m->answers, m->answer_count, sizeof *m->answers, by_score);
    for (size_t c = 0; c < m->classes; c++)
        m->first_answer[c + 1] += m->first_answer[c];
}

static uint8_t areas_of(const deeper_truth *truth) {
    uint8_t areas = 0;
    if (truth->crowd || truth->difficult)
        return 0;
    for (int a = 0; a < DP_COCO_AREAS; a++)
        if (truth->area >= dp_coco_areas[a][0] && truth->area <= dp_coco_areas[a][1])
            areas |= (uint8_t)(1 << a);
    return areas;
}

static void fill_targets(dp_matches *m, const deeper_truth *truth) {
    for (size_t i = 0; i < m->target_count; i++) {
        m->targets[i] = (dp_target){ .index = i,
                                     .class_index = (uint32_t)truth[i].class_index,
                                     .image = (uint32_t)truth[i].image,
                                     .areas = areas_of(&truth[i]) };
        m->first_target[truth[i].class_index + 1]++;
    }
    if (m->target_count)
        qsort(m->targets, m->target_count, sizeof *m->targets, targets_by_photo);
    for (size_t c = 0; c < m->classes; c++)
        m->first_target[c + 1] += m->first_target[c];
}

/* The most boxes of one class in one photo: what a group needs room for. */
static size_t largest_group(const dp_matches *m) {
    size_t largest = 0, begin = 0;
    for (size_t i = 0; i < m->target_count; i++) {
        if (m->targets[i].class_index != m->targets[begin].class_index
            || m->targets[i].image != m->targets[begin].image)
            begin = i;
        if (i - begin + 1 > largest)
            largest = i - begin + 1;
    }
    return largest;
}

static void match_groups(dp_matches *m, const place *places, const deeper_detection *detections,
                         group *g) {
    size_t target = 0;
    for (size_t begin = 0, end = 0; begin < m->answer_count; begin = end) {
        const uint32_t class_index = places[begin].class_index, image = places[begin].image;
        while (target < m->target_count
               && (m->targets[target].class_index < class_index
                   || (m->targets[target].class_index == class_index
                       && m->targets[target].image < image)))
            target++;
        g->targets = m->targets + target;
        for (g->count = 0; target + g->count < m->target_count
                           && g->targets[g->count].class_index == class_index
                           && g->targets[g->count].image == image;)
            g->count++;
        if (g->count)
            memset(g->taken, 0, DP_LISTS * g->count);
        for (end = begin; end < m->answer_count && places[end].class_index == class_index
                          && places[end].image == image;
             end++) {
            dp_answer *answer = &m->answers[places[end].answer];
            answer->rank = (uint32_t)(end - begin);
            match(m, places[end].answer, &detections[answer->index], g);
        }
    }
}

static deeper_status match_all(dp_matches *m, const deeper_truth *truth,
                               const deeper_detection *detections, deeper_error *error) {
    const size_t largest = largest_group(m);
    place *places = dp_alloc_raw(m->allocator, m->answer_count, sizeof *places);
    group g = { .truth = truth,
                .overlaps = dp_alloc(m->allocator, largest, sizeof *g.overlaps),
                .plain = dp_alloc(m->allocator, largest, sizeof *g.plain),
                .candidates = dp_alloc(m->allocator, largest, sizeof *g.candidates),
                .taken = dp_alloc(m->allocator, largest, DP_LISTS) };
    const bool enough = places && g.overlaps && g.plain && g.candidates && g.taken;
    if (enough) {
        for (size_t i = 0; i < m->answer_count; i++)
            places[i] = (place){ m->answers[i].class_index, m->answers[i].image, i };
        if (m->answer_count)
            qsort(places, m->answer_count, sizeof *places, by_photo);
        match_groups(m, places, detections, &g);
    }
    dp_free(m->allocator, places);
    dp_free(m->allocator, g.overlaps);
    dp_free(m->allocator, g.plain);
    dp_free(m->allocator, g.candidates);
    dp_free(m->allocator, g.taken);
    return enough ? DEEPER_OK : dp_fail_memory(error, "the matches of a photo");
}

deeper_status dp_matches_make(dp_matches *matches, const deeper_truth *truth, size_t truth_count,
                              const deeper_detection *detections, size_t detection_count,
                              size_t images, size_t classes, const deeper_allocator *allocator,
                              deeper_error *error) {
    dp_matches m = { .allocator = allocator,
                     .classes = classes,
                     .images = images,
                     .answer_count = detection_count,
                     .target_count = truth_count };
    m.answers = dp_alloc_raw(allocator, detection_count, sizeof *m.answers);
    m.targets = dp_alloc_raw(allocator, truth_count, sizeof *m.targets);
    m.first_answer = dp_alloc(allocator, classes + 1, sizeof *m.first_answer);
    m.first_target = dp_alloc(allocator, classes + 1, sizeof *m.first_target);
    m.outcomes = dp_alloc_raw(allocator, detection_count, DP_LISTS);
    *matches = m;
    if (!m.answers || !m.targets || !m.first_answer || !m.first_target || !m.outcomes)
        return dp_fail_memory(error, "the matches of detections with boxes");
    fill_answers(matches, detections);
    fill_targets(matches, truth);
    return match_all(matches, truth, detections, error);
}

void dp_matches_free(dp_matches *matches) {
    dp_free(matches->allocator, matches->answers);
    dp_free(matches->allocator, matches->targets);
    dp_free(matches->allocator, matches->first_answer);
    dp_free(matches->allocator, matches->first_target);
    dp_free(matches->allocator, matches->outcomes);
    *matches = (dp_matches){ 0 };
}

size_t dp_matches_targets(const dp_matches *matches, size_t class_index, int list) {
    size_t count = 0;
    for (size_t i = matches->first_target[class_index]; i < matches->first_target[class_index + 1];
         i++)
        count += matches->targets[i].areas >> dp_list_area(list) & 1;
    return count;
}
