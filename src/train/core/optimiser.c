/* optimiser.c - the parallel loops over pieces, and the state that a run can go back to. */
#include "train/core/optimiser.h"

#include "base/arithmetic.h"

#include <math.h>
#include <string.h>

enum { PIECE = 1 << 16 /* floats */, MAX_PIECES = 65535 /* tasks of a loop of the pool */ };
static const double MAX_GROWTH = 2;

void dp_optimiser_free(dp_optimiser *o) {
    if (!o)
        return;
    dp_free(o->allocator, o->velocity);
    dp_free(o->allocator, o->average);
    dp_free(o->allocator, o->kept);
    dp_free(o->allocator, o->pieces);
    dp_free(o->allocator, o->sums);
    dp_free(o->allocator, o);
}

static size_t pieces_of(const dp_segment *segment) {
    return dp_ceil_div64(segment->count, PIECE);
}

static void cut(dp_optimiser *o) {
    for (size_t i = 0; i < o->options.segment_count; i++)
        for (size_t done = 0; done < o->options.segments[i].count; done += PIECE) {
            dp_segment *piece = &o->pieces[o->piece_count++];
            *piece = o->options.segments[i];
            piece->begin += done;
            piece->count -= done;
            if (piece->count > PIECE)
                piece->count = PIECE;
        }
}

static deeper_status fill(dp_optimiser *o, deeper_error *error) {
    size_t pieces = 0, floats = o->options.floats, arenas = o->options.averaged ? 2 : 1, kept = 0;
    for (size_t i = 0; i < o->options.segment_count; i++)
        pieces += pieces_of(&o->options.segments[i]);
    if (pieces > MAX_PIECES || !dp_size_mul(floats, arenas, &kept))
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%zu parameters are more than a run can train",
                       floats);
    o->velocity = dp_alloc(o->allocator, floats, sizeof(float));
    o->average = o->options.averaged ? dp_alloc_raw(o->allocator, floats, sizeof(float)) : NULL;
    o->kept = dp_alloc_raw(o->allocator, kept, sizeof(float));
    o->pieces = dp_alloc_raw(o->allocator, pieces, sizeof *o->pieces);
    o->sums = dp_alloc_raw(o->allocator, pieces, sizeof *o->sums);
    if (!o->velocity || (o->options.averaged && !o->average) || !o->kept || !o->pieces || !o->sums)
        return dp_fail_memory(error, "the state of the optimiser");
    cut(o);
    o->options.segments = NULL;
    dp_optimiser_begin(o);
    return DEEPER_OK;
}

deeper_status dp_optimiser_create(dp_optimiser **optimiser, const dp_optimiser_options *options,
                                  const deeper_allocator *allocator, deeper_error *error) {
    dp_optimiser *o = dp_alloc(allocator, 1, sizeof *o);
    if (!o)
        return dp_fail_memory(error, "the optimiser");
    o->allocator = allocator;
    o->options = *options;
    deeper_status status = fill(o, error);
    if (status != DEEPER_OK) {
        dp_optimiser_free(o);
        return status;
    }
    *optimiser = o;
    return DEEPER_OK;
}

static void sum_piece(void *context, int task, int worker) {
    dp_optimiser *o = context;
    const dp_segment *piece = &o->pieces[task];
    o->sums[task] =
        piece->learns ? o->options.kernels->square_sum(o->summed + piece->begin, piece->count) : 0;
}

/* Norm of what lies in an arena for all that learns. */
static double norm_of(dp_optimiser *o, const float *arena) {
    o->summed = arena;
    dp_pool_run(o->options.pool, o->piece_count, sum_piece, o);
    double sum = 0;
    for (int i = 0; i < o->piece_count; i++)
        sum += o->sums[i];
    return sqrt(sum);
}

double dp_optimiser_norm(dp_optimiser *o, double scale) {
    return scale * norm_of(o, o->options.gradient);
}

bool dp_optimiser_sound(dp_optimiser *o) {
    return norm_of(o, o->options.value)
           <= MAX_GROWTH * norm_of(o, o->kept); /* false for what is not a number */
}

static void update_piece(void *context, int task, int worker) {
    dp_optimiser *o = context;
    const dp_segment *piece = &o->pieces[task];
    o->options.kernels->update(&(dp_update){
        .value = o->options.value + piece->begin,
        .velocity = o->velocity + piece->begin,
        .average = o->average ? o->average + piece->begin : NULL,
        .gradient = o->options.gradient + piece->begin,
        .count = piece->count,
        .scale = piece->learns ? o->scale : 0,
        .decay = o->options.decay * piece->decay,
        .momentum = o->options.momentum,
        .rate = o->rate * piece->rate,
        .blend = o->blend,
    });
}

void dp_optimiser_step(dp_optimiser *o, double scale, double norm, double rate, double blend) {
    if (o->options.clip > 0 && norm > o->options.clip)
        scale *= o->options.clip / norm;
    o->scale = (float)scale;
    o->rate = (float)rate;
    o->blend = (float)blend;
    dp_pool_run(o->options.pool, o->piece_count, update_piece, o);
}

/* Copies between the kept arenas and the live ones. */
static void copy(dp_optimiser *o, bool keep) {
    float *live[] = { o->options.value, o->average };
    for (size_t i = 0; i < sizeof live / sizeof *live && live[i]; i++) {
        float *kept = o->kept + i * o->options.floats;
        memcpy(keep ? kept : live[i], keep ? live[i] : kept, o->options.floats * sizeof(float));
    }
}

void dp_optimiser_keep(dp_optimiser *o) {
    copy(o, true);
}

void dp_optimiser_restore(dp_optimiser *o) {
    copy(o, false);
    memset(o->velocity, 0, o->options.floats * sizeof(float));
}

void dp_optimiser_begin(dp_optimiser *o) {
    if (o->average)
        memcpy(o->average, o->options.value, o->options.floats * sizeof(float));
    memset(o->velocity, 0, o->options.floats * sizeof(float));
    dp_optimiser_keep(o);
}

float *dp_optimiser_result(const dp_optimiser *o) {
    return o->average ? o->average : o->options.value;
}
