/* find_rate.c - the steps of the range test and what is read from their losses. Same options, data
 * and instruction set: the same points, for any number of threads. */
#include "train/run/find_rate.h"

#include "base/float_mode.h"

#include "report/report.h"
#include "train/options/options.h"
#include "train/run/trainer_state.h"

#include <math.h>

static const double FIRST_RATE = 1e-5, LAST_RATE = 10;
static const double EXPLODED = 2; /* times the first loss: nothing follows that is worth the time */
static const double RECENT = 0.8; /* of the running mean that is held against it */
static const double DEVIATION = 3; /* steps, of the smoothing */
static const double CHANCE =
    4; /* times the deviation of a smoothed loss: what falls less has not fallen */

enum {
    REACH = 9 /* steps, three deviations */,
    HALF_DECADE = 8 /* steps */,
    COMMAND_LIMIT = 1 << 16
};

/* ----------------------------------------------------------------------------------- suggestion */

static double rate_of(size_t point) {
    return FIRST_RATE * pow(LAST_RATE / FIRST_RATE, (double)point / (DEEPER_RATE_POINTS - 1));
}

static void smooth(deeper_rate_search *s) {
    for (int i = 0; i < (int)s->count; i++) {
        double sum = 0, weights = 0;
        for (int k = i - REACH; k <= i + REACH; k++)
            if (k >= 0 && k < (int)s->count) {
                double weight = exp(-(k - i) * (k - i) / (2 * DEVIATION * DEVIATION));
                sum += weight * s->points[k].loss;
                weights += weight;
            }
        s->points[i].smoothed = sum / weights;
    }
}

/* The loss before anything is learnt: mean of the first decade. */
static double first_loss(const deeper_rate_search *s, size_t lowest) {
    double sum = 0;
    size_t count = lowest + 1 < 2 * HALF_DECADE ? lowest + 1 : 2 * HALF_DECADE;
    for (size_t i = 0; i < count; i++)
        sum += s->points[i].loss;
    return sum / (double)count;
}

/* Standard deviation of the smoothed losses, from that of the losses: half the mean square of the
 * differences between neighbours, which a slow fall does not add to, over the 2 sqrt(pi) DEVIATION
 * losses that the weights are worth. */
static double noise_of_smoothed(const deeper_rate_search *s, size_t lowest) {
    double sum = 0;
    for (size_t i = 0; i < lowest; i++) {
        double difference = s->points[i + 1].loss - s->points[i].loss;
        sum += difference * difference;
    }
    return lowest ? sqrt(sum / (2 * (double)lowest) / (2 * sqrt(acos(-1.0)) * DEVIATION))
                  : INFINITY;
}

/* The middle of the decade of rates, up to the point `lowest`, over which the smoothed loss falls
 * most. Shorter stretches follow the noise of single batches. The way down to guessing is not
 * counted, if it ends below: any rate calms the first scores. */
static size_t steepest_point(const deeper_rate_search *s, size_t lowest, double guess) {
    double above = s->points[lowest].smoothed < guess ? guess : INFINITY;
    double max_fall = -INFINITY;
    size_t point = 0;
    for (size_t i = 0; i <= lowest; i++) {
        size_t from = i > HALF_DECADE ? i - HALF_DECADE : 0,
               to = i + HALF_DECADE < lowest ? i + HALF_DECADE : lowest;
        double fall = fmin(above, s->points[from].smoothed) - fmin(above, s->points[to].smoothed);
        if (fall > max_fall) {
            max_fall = fall;
            point = i;
        }
    }
    return point;
}

/* More digits than a range test can tell would only look exact. */
static double two_digits(double value) {
    double unit = pow(10, floor(log10(value)) - 1);
    return round(value / unit) * unit;
}

void dp_suggest_rate(deeper_rate_search *s, double guess) {
    const deeper_rate_point *p = s->points;
    size_t lowest = 0;
    s->rate = s->steepest = s->tenth = 0;
    smooth(s);
    for (size_t i = 1; i < s->count; i++)
        if (p[i].smoothed < p[lowest].smoothed)
            lowest = i;
    double fall = s->count ? first_loss(s, lowest) - p[lowest].smoothed : 0;
    if (!(fall > CHANCE * noise_of_smoothed(s, lowest)))
        return;
    s->steepest = p[steepest_point(s, lowest, guess)].rate;
    for (size_t i = lowest; i < s->count; i++)
        if (p[i].smoothed > p[lowest].smoothed + fall / 2) {
            s->tenth = p[i].rate / 10;
            break;
        }
    if (s->tenth == 0 && s->count < DEEPER_RATE_POINTS)
        s->tenth = rate_of(s->count) / 10;
    s->rate = two_digits(s->tenth > 0 ? fmin(s->steepest, s->tenth) : s->steepest);
}

/* ---------------------------------------------------------------------------------------- steps */

static void tell(const dp_trainer *t, const dp_step *s, const deeper_rate_search *search) {
    if (!t->calls || !t->calls->event)
        return;
    deeper_train_event event = dp_trainer_event(t, DEEPER_TRAIN_STEP, &s->sums, s->rate);
    event.epoch = event.epochs = 1;
    event.step = search->count;
    event.epoch_steps = DEEPER_RATE_POINTS;
    event.gradient_norm = s->norm;
    event.seconds_left = event.seconds_left_epoch =
        t->clock.image_seconds
        * (double)(t->clock.step_images * (DEEPER_RATE_POINTS - search->count));
    t->calls->event(t->calls->context, &event);
}

/* Measures the next rate with the gradients of a step, then learns at it. *ended: the loss
 * exploded; that point is left out. */
static void run_point(dp_trainer *t, dp_step *s, deeper_rate_search *search, double *recent,
                      bool *ended) {
    double loss = dp_total_loss(t->learner, &s->sums);
    *recent = search->count ? RECENT * *recent + (1 - RECENT) * loss : loss;
    s->rate = rate_of(search->count);
    s->norm = dp_optimiser_norm(t->optimiser, 1 / s->sums.weight);
    *ended = !isfinite(s->norm) || !isfinite(loss)
             || (search->count > 0 && *recent > EXPLODED * search->points[0].loss);
    if (*ended)
        return;
    search->points[search->count++] = (deeper_rate_point){ .rate = s->rate, .loss = loss };
    dp_optimiser_step(t->optimiser, 1 / s->sums.weight, s->norm, s->rate, 1);
    tell(t, s, search);
}

static deeper_status run_batches(dp_trainer *t, dp_batches *batches, deeper_rate_search *search,
                                 double *recent, bool *ended, deeper_error *error) {
    dp_measure_begin(&t->clock);
    for (uint64_t done = 0; search->count < DEEPER_RATE_POINTS && !*ended; done++) {
        dp_step s;
        DP_TRY(dp_step_gradients(t, batches, &s, error));
        if (s.taken == 0)
            return DEEPER_OK;
        if (s.sums.images > 0)
            run_point(t, &s, search, recent, ended);
        dp_step_done(t, &s);
        dp_measure_speed(&t->clock, done, s.taken);
        if (t->calls && t->calls->control && t->calls->control(t->calls->context) == DEEPER_STOP)
            return dp_fail(error, DEEPER_ERROR_STOPPED, "%s: stopped while looking for a rate",
                           t->options.data);
    }
    return DEEPER_OK;
}

/* As many epochs, or as little of one, as the points need. */
static deeper_status run_points(dp_trainer *t, deeper_rate_search *search, deeper_error *error) {
    double recent = 0;
    bool ended = false;
    while (search->count < DEEPER_RATE_POINTS && !ended) {
        size_t before = search->count;
        dp_batches *batches = NULL;
        DP_TRY(dp_trainer_open_batches(t, &batches, error));
        uint64_t mode = dp_float_mode_enter();
        deeper_status status = run_batches(t, batches, search, &recent, &ended, error);
        dp_float_mode_leave(mode);
        dp_batches_close(batches);
        if (status != DEEPER_OK)
            return status;
        if (search->count == before && !ended)
            return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: no picture could be read",
                           t->options.data);
        t->progress.epoch++;
        t->progress.position = t->progress.epoch_unreadable = 0;
    }
    return DEEPER_OK;
}

/* ----------------------------------------------------------------------------------------- page */

static deeper_status write_page(const dp_trainer *t, const deeper_rate_search *search,
                                const char *path, deeper_error *error) {
    deeper_train_options next = t->options;
    next.rate = search->rate;
    dp_buffer command;
    dp_buffer_init(&command, t->allocator, COMMAND_LIMIT);
    dp_train_options_command(&command, &next);
    deeper_status status = command.failed
                               ? dp_fail_memory(error, "the command of a run")
                               : dp_report_write_rates(search, t->options.data, command.data, path,
                                                       t->allocator, error);
    dp_buffer_free(&command);
    return status;
}

/* The loss of one who guesses, as points have it. */
static double total_guess(const dp_trainer *t) {
    double guess = dp_guessing_loss(&t->pictures.train, t->class_weights, t->network.model->classes,
                                    t->options.smoothing);
    double total = 0;
    for (int h = 0; h < t->learner->nodes.heads; h++)
        total += (double)t->learner->head_weights[h] * guess;
    return total;
}

deeper_status dp_find_rate(deeper_rate_search *search, const deeper_train_options *options,
                           const char *page, const deeper_train_calls *calls,
                           const deeper_allocator *allocator, deeper_error *error) {
    dp_trainer t = {
        .allocator = allocator, .options = *options, .calls = calls, .folder.held = -1
    };
    *search = (deeper_rate_search){ 0 };
    deeper_status status = dp_trainer_open_data(&t, error);
    if (status == DEEPER_OK)
        status = dp_trainer_open_learner(&t, error);
    if (status == DEEPER_OK)
        status = run_points(&t, search, error);
    if (status == DEEPER_OK) {
        dp_suggest_rate(search, total_guess(&t));
        if (page)
            status = write_page(&t, search, page, error);
    }
    dp_trainer_close(&t);
    return status;
}
