/* reference_boxes.c - the oracle of detection's protocols. */
#include "reference/reference_boxes.h"

#include <math.h>
#include <stdlib.h>

static double overlap(const deeper_box *a, const deeper_box *b, int crowd) {
    double width = fmin(a->x + a->width, b->x + b->width) - fmax(a->x, b->x);
    double height = fmin(a->y + a->height, b->y + b->height) - fmax(a->y, b->y);
    if (width <= 0 || height <= 0)
        return 0;
    double common = width * height, first = a->width * a->height, second = b->width * b->height;
    return common / (crowd ? first : first + second - common);
}

/* Detections of the class, the best first: by score, photo, place. */
static size_t *ranked(const reference_set *set, size_t class_index, size_t *count) {
    size_t *order = calloc(set->detection_count + 1, sizeof *order);
    *count = 0;
    for (size_t i = 0; i < set->detection_count; i++) {
        const deeper_detection *d = &set->detections[i];
        if (d->class_index != class_index)
            continue;
        size_t at = *count;
        for (; at > 0; at--) {
            const deeper_detection *before = &set->detections[order[at - 1]];
            if (before->score > d->score
                || (before->score == d->score && before->image <= d->image))
                break;
            order[at] = order[at - 1];
        }
        order[at] = i;
        ++*count;
    }
    return order;
}

/* The largest precision from each point on, at the first point of at least that recall. */
static double precision_at(const double *recall, const double *precision, size_t count,
                           double wanted) {
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        if (recall[i] >= wanted && precision[i] > largest)
            largest = precision[i];
    return largest;
}

static double average(const double *recall, const double *precision, size_t count, int points) {
    double sum = 0, before = 0;
    if (points > 0) {
        for (int i = 0; i < points; i++)
            sum += precision_at(recall, precision, count,
                                points == 11 ? i / 10.0
                                : i == 100   ? 1.0
                                             : i * 0.01);
        return sum / points;
    }
    for (size_t i = 0; i < count; i++) {
        sum += (recall[i] - before) * precision_at(recall, precision, count, recall[i]);
        before = recall[i];
    }
    return sum;
}

typedef struct tally {
    double right, wrong, targets;
    double *recall, *precision;
    size_t count;
} tally;

static void tally_begin(tally *t, size_t count, double targets) {
    *t = (tally){ .targets = targets,
                  .recall = calloc(count + 1, sizeof *t->recall),
                  .precision = calloc(count + 1, sizeof *t->precision) };
}

static void tally_add(tally *t, int right) {
    t->right += right;
    t->wrong += !right;
    t->recall[t->count] = t->right / t->targets;
    t->precision[t->count++] = t->right / (t->right + t->wrong);
}

static double tally_end(tally *t, int points) {
    double result = average(t->recall, t->precision, t->count, points);
    free(t->recall);
    free(t->precision);
    return result;
}

static int ignored(const deeper_truth *t, double low, double high) {
    return t->crowd || t->difficult || t->area < low || t->area > high;
}

/* The box that COCO gives a detection: the one of the largest overlap among those that count, else
 * among the others; SIZE_MAX: none. */
static size_t choose(const reference_set *set, const deeper_detection *d, double threshold,
                     double low, double high, const char *used) {
    for (int others = 0; others <= 1; others++) {
        size_t chosen = SIZE_MAX;
        double best = threshold;
        for (size_t i = 0; i < set->truth_count; i++) {
            const deeper_truth *t = &set->truth[i];
            if (t->image != d->image || t->class_index != d->class_index
                || ignored(t, low, high) != others || (used[i] && !t->crowd))
                continue;
            double value = overlap(&d->box, &t->box, t->crowd);
            if (value >= best) {
                best = value;
                chosen = i;
            }
        }
        if (chosen != SIZE_MAX)
            return chosen;
    }
    return SIZE_MAX;
}

double reference_coco(const reference_set *set, size_t class_index, double threshold, double low,
                      double high, size_t best, double *recall) {
    size_t count = 0, *order = ranked(set, class_index, &count);
    size_t *taken = calloc(set->images + 1, sizeof *taken); /* detections of each photo */
    char *used = calloc(set->truth_count + 1, 1);
    double targets = 0;
    tally t;
    for (size_t i = 0; i < set->truth_count; i++)
        targets += set->truth[i].class_index == class_index && !ignored(&set->truth[i], low, high);
    tally_begin(&t, count, targets);
    for (size_t i = 0; i < count; i++) {
        const deeper_detection *d = &set->detections[order[i]];
        double area = d->box.width * d->box.height;
        if (taken[d->image]++ >= best)
            continue;
        size_t box = choose(set, d, threshold, low, high, used);
        if (box != SIZE_MAX)
            used[box] = 1;
        if (box == SIZE_MAX ? area < low || area > high : ignored(&set->truth[box], low, high))
            continue;
        tally_add(&t, box != SIZE_MAX);
    }
    free(order);
    free(taken);
    free(used);
    *recall = targets > 0 ? t.right / targets : (double)NAN;
    double result = tally_end(&t, 101);
    return targets > 0 ? result : (double)NAN;
}

double reference_voc(const reference_set *set, size_t class_index, int relaxed, int points) {
    size_t count = 0, *order = ranked(set, class_index, &count);
    char *used = calloc(set->truth_count + 1, 1);
    double targets = 0;
    tally t;
    for (size_t i = 0; i < set->truth_count; i++)
        targets += set->truth[i].class_index == class_index && !set->truth[i].crowd
                   && !set->truth[i].difficult;
    tally_begin(&t, count, targets);
    for (size_t i = 0; i < count; i++) {
        const deeper_detection *d = &set->detections[order[i]];
        size_t chosen = SIZE_MAX;
        double best = 0;
        for (size_t k = 0; k < set->truth_count; k++) {
            const deeper_truth *box = &set->truth[k];
            double w = box->box.width, h = box->box.height;
            double own = relaxed ? fmin(0.5, w * h / ((w + 10) * (h + 10))) : 0;
            double value = overlap(&d->box, &box->box, 0);
            if (box->image == d->image && box->class_index == class_index && value > best
                && value >= own && !(relaxed && used[k])) {
                best = value;
                chosen = k;
            }
        }
        if (!relaxed && best < 0.5)
            chosen = SIZE_MAX;
        if (chosen != SIZE_MAX && (set->truth[chosen].difficult || set->truth[chosen].crowd))
            continue;
        tally_add(&t, chosen != SIZE_MAX && !used[chosen]);
        if (chosen != SIZE_MAX)
            used[chosen] = 1;
    }
    free(order);
    free(used);
    double result = tally_end(&t, points);
    return targets > 0 ? result : (double)NAN;
}
