/* vec_update.c - the optimiser's pass over a flat piece of the parameters. The pieces begin and end
 * anywhere: the last few values go through padded copies and the same arithmetic, so any cut of the
 * parameters gives the same bits. Contract: dp_update in gradient.h. */
#include "kernels/vec_gradient.h"

DP_VEC_INLINE void store_unaligned(float *p, vec a) {
    memcpy(p, &a, sizeof a);
}

/* a - b in one rounding, on every instruction set. */
DP_VEC_INLINE vec minus(vec a, vec b) {
    return vec_fma(vec_set(-1), b, a);
}

DP_VEC_INLINE void vector(const dp_update *u, float *value, float *velocity, float *average,
                          const float *gradient, const bool averaged) {
    vec old = vec_load_unaligned(value);
    vec step =
        vec_fma(vec_set(u->decay), old, vec_mul(vec_load_unaligned(gradient), vec_set(u->scale)));
    vec moved = vec_fma(vec_set(u->momentum), vec_load_unaligned(velocity),
                        vec_mul(vec_set(u->rate), step));
    vec fresh = minus(old, moved);
    store_unaligned(velocity, moved);
    store_unaligned(value, fresh);
    if (averaged) {
        vec mean = vec_load_unaligned(average);
        store_unaligned(average, vec_fma(minus(fresh, mean), vec_set(u->blend), mean));
    }
}

DP_VEC_INLINE void update(const dp_update *u, const bool averaged) {
    const size_t whole = u->count - u->count % DP_VEC_LANES;
    for (size_t i = 0; i < whole; i += DP_VEC_LANES)
        vector(u, u->value + i, u->velocity + i, averaged ? u->average + i : NULL, u->gradient + i,
               averaged);
    const size_t rest = (u->count - whole) * sizeof(float);
    if (rest == 0)
        return;
    float value[DP_VEC_LANES] = { 0 };
    float velocity[DP_VEC_LANES] = { 0 };
    float average[DP_VEC_LANES] = { 0 };
    float gradient[DP_VEC_LANES] = { 0 };
    memcpy(value, u->value + whole, rest);
    memcpy(velocity, u->velocity + whole, rest);
    memcpy(gradient, u->gradient + whole, rest);
    if (averaged)
        memcpy(average, u->average + whole, rest);
    vector(u, value, velocity, average, gradient, averaged);
    memcpy(u->value + whole, value, rest);
    memcpy(u->velocity + whole, velocity, rest);
    if (averaged)
        memcpy(u->average + whole, average, rest);
}

void DP_VEC_NAME(update)(const dp_update *u) {
    if (u->average)
        update(u, true);
    else
        update(u, false);
}
